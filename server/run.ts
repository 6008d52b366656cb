/**
 * `skein agent` from the configuration to the exit code (agent.md 6.1 and 6.7).
 *
 * @module
 */

import { joinHostPort } from "../cluster/memberlist/mod.ts";
import { Agent } from "./agent.ts";
import { blockOf } from "./agent/log_text.ts";
import { retryJoin } from "./agent/retry_join.ts";
import { type AgentConfig, type ConfigInput, loadConfig } from "./config.ts";
import { type AgentPlan, planAgent } from "./config/plan.ts";
import { within } from "./deadline.ts";
import { AgentLog, type LogLevel, parseLogLevel } from "./logging.ts";
import { LEAVE_IN_PROGRESS } from "./rpc/backend.ts";
import { Console } from "./run/console.ts";
import {
  type AgentSignal,
  SIGNAL_NAMES,
  SignalQueue,
  type SignalSource,
  systemSignals,
} from "./run/signals.ts";

/** What a graceful leave takes besides two broadcasts: the propagate delay and a margin, in milliseconds. */
const LEAVE_EXTRA_MS = 2_000;

/** The agent must be shut down within this time, or the process ends without it, in milliseconds. */
const SHUTDOWN_LIMIT_MS = 3_000;

/** What the command line gives. */
export interface RunInput {
  /** Configuration files and directories, in command-line order. */
  readonly configPaths: readonly string[];
  /** Flags under the names of a configuration file. */
  readonly flags: ConfigInput;
}

/** What surrounds the agent. */
export interface RunSurroundings {
  /** Prints a text and ends the line. */
  print(text: string): void;
  /** Where signals come from. Default: the operating system. */
  readonly signals?: SignalSource;
}

/**
 * Runs an agent until a signal or a `leave` ends it.
 *
 * @returns The exit code (agent.md 6.7): 0 after a graceful end, 1 otherwise. Nothing is left running.
 */
export async function runAgent(input: RunInput, surroundings: RunSurroundings): Promise<number> {
  const console = new Console((text) => surroundings.print(text));
  let prepared: Prepared;
  try {
    prepared = await prepare(input, console);
  } catch (error) {
    console.say((error as Error).message);
    return 1;
  }
  const { config, plan, level } = prepared;
  console.say("Starting Serf agent...");
  const log = new AgentLog(config.nodeName);
  console.attach(log, level);
  using signals = new SignalQueue(surroundings.signals ?? systemSignals);
  let agent: Agent;
  try {
    // The operator shall see the joins, so they wait for the banner.
    agent = await Agent.start({ ...config, startJoin: [], retryJoin: [], log, plan });
  } catch (error) {
    console.say((error as Error).message);
    return 1;
  }
  const exitCode = await new Run(agent, prepared, input, console, signals).untilEnd();
  await within(SHUTDOWN_LIMIT_MS, agent.shutdown());
  return exitCode;
}

/** What is known before anything is started. */
interface Prepared {
  readonly config: AgentConfig;
  readonly plan: AgentPlan;
  readonly level: LogLevel;
}

async function prepare(input: RunInput, console: Console): Promise<Prepared> {
  const { config, warnings } = await loadConfig(input.configPaths, input.flags);
  for (const warning of warnings) console.say(warning);
  const level = levelOf(config);
  const plan = await planAgent(config);
  for (const notice of plan.notices) console.say(notice);
  return { config, plan, level };
}

function levelOf({ logLevel }: AgentConfig): LogLevel {
  return parseLogLevel(logLevel) ?? "INFO";
}

/** One started agent until its end. */
class Run {
  readonly #agent: Agent;
  readonly #plan: AgentPlan;
  readonly #input: RunInput;
  readonly #console: Console;
  readonly #signals: SignalQueue;
  readonly #stopped = new AbortController();
  #config: AgentConfig;
  #reloads: Promise<void> = Promise.resolve();

  constructor(
    agent: Agent,
    { config, plan }: Prepared,
    input: RunInput,
    console: Console,
    signals: SignalQueue,
  ) {
    this.#agent = agent;
    this.#plan = plan;
    this.#input = input;
    this.#console = console;
    this.#signals = signals;
    this.#config = config;
  }

  /** Resolves with the exit code; the agent may still be there then. */
  async untilEnd(): Promise<number> {
    try {
      if (!this.#listen()) return 1;
      if (!await this.#startJoin()) return 1;
      this.#console.info("");
      this.#console.say("Log data will now stream in as it occurs:");
      this.#console.info("");
      this.#console.openGate();
      return await this.#serve();
    } finally {
      this.#stopped.abort();
    }
  }

  #listen(): boolean {
    const { rpcAddr } = this.#config;
    try {
      const { address } = this.#agent.listenRpc();
      this.#console.say("Starting Serf agent RPC...");
      const { hostname, port } = address;
      this.#showBanner(rpcAddr.endsWith(":0") ? joinHostPort(hostname, port) : rpcAddr);
      return true;
    } catch (error) {
      this.#console.say(`Error starting RPC listener: ${(error as Error).message}`);
      return false;
    }
  }

  #showBanner(rpcAddr: string): void {
    const { address, serf } = this.#agent;
    const { nodeName, profile, compression } = this.#config;
    const { advertise } = this.#plan;
    const row = (label: string, value: string | boolean): void =>
      this.#console.info(`${label.padStart(27)}: ${value}`);
    this.#console.say("Serf agent running!");
    row("Node name", `'${nodeName}'`);
    row("Bind addr", `'${joinHostPort(address.host, address.port)}'`);
    if (advertise !== undefined) {
      this.#console.info(`Advertise addr: '${joinHostPort(advertise.host, advertise.port)}'`);
    }
    row("RPC addr", `'${rpcAddr}'`);
    row("Encrypted", serf.encrypted);
    row("Snapshot", this.#config.snapshotPath !== "");
    row("Profile", profile);
    row("Message Compression Enabled", compression);
  }

  /** Joins the `startJoin` addresses; `false` when none answered. A signal ends the wait. */
  async #startJoin(): Promise<boolean> {
    const { startJoin, replayOnJoin: replay } = this.#config;
    if (startJoin.length === 0) return true;
    this.#console.say(`Joining cluster...(replay: ${replay})`);
    const join = this.#agent.join(startJoin, { replay }).then(
      (joined) => ({ joined }),
      (error: unknown) => ({ error }),
    );
    const result = await Promise.race([join, this.#signals.waiting]);
    if (result === undefined) return true;
    if ("error" in result) {
      this.#console.say(blockOf(result.error));
      return false;
    }
    this.#console.info(`Join completed. Synced with ${result.joined} initial agents`);
    return true;
  }

  async #serve(): Promise<number> {
    const closed = this.#agent.closed.then((): "closed" => "closed");
    const joining = retryJoin(this.#agent, this.#config, this.#stopped.signal);
    const gaveUp = joining.then((gaveUp) => gaveUp ? "gave up" as const : closed);
    for (;;) {
      const reason = await Promise.race([closed, gaveUp, this.#signals.waiting]);
      if (reason === "closed") return 0;
      if (reason === "gave up") return 1;
      const signal = this.#signals.take();
      const exitCode = signal === undefined ? undefined : await this.#handle(signal);
      if (exitCode !== undefined) return exitCode;
    }
  }

  /** The exit code, or `undefined` when the agent goes on. */
  async #handle(signal: AgentSignal): Promise<number | undefined> {
    this.#console.say(`Caught signal: ${SIGNAL_NAMES[signal]}`);
    const { leaveOnTerminate, skipLeaveOnInterrupt } = this.#config;
    switch (signal) {
      case "SIGHUP":
        this.#reloads = this.#reloads.then(() => this.#reload());
        return undefined;
      case "SIGUSR1":
        this.#agent.log.write("WARN", "agent", "This version has no metrics to show on SIGUSR1");
        return undefined;
      case "SIGINT":
        return skipLeaveOnInterrupt ? 1 : await this.#leave();
      case "SIGTERM":
        return leaveOnTerminate ? await this.#leave() : 1;
    }
  }

  /** Leaves within what a leave can take; another signal ends the wait. */
  async #leave(): Promise<number> {
    this.#console.say("Gracefully shutting down agent...");
    const leave = this.#agent.leave().then(
      () => 0,
      (error: Error) => {
        // An RPC client was first: its leave ends the agent.
        if (error.message === LEAVE_IN_PROGRESS) return this.#agent.closed.then(() => 0);
        this.#console.say(`Error: ${error.message}`);
        return 1;
      },
    );
    const interrupted = this.#signals.waiting.then(() => 1);
    const limit = 2 * this.#config.broadcastTimeoutMs + LEAVE_EXTRA_MS;
    return await within(limit, Promise.race([leave, interrupted])) ?? 1;
  }

  /** Takes over what can change while the agent runs (agent.md 6.7). */
  async #reload(): Promise<void> {
    this.#console.say("Reloading configuration...");
    let config: AgentConfig;
    try {
      const loaded = await loadConfig(this.#input.configPaths, this.#input.flags);
      for (const warning of loaded.warnings) this.#console.say(warning);
      config = loaded.config;
    } catch (error) {
      this.#console.say((error as Error).message);
      this.#console.say("Failed to reload configs");
      return;
    }
    try {
      this.#console.setLevel(levelOf(config));
    } catch (error) {
      this.#console.say((error as Error).message);
    }
    const { tags: before } = this.#config;
    const { tags, leaveOnTerminate, skipLeaveOnInterrupt } = config;
    this.#config = { ...this.#config, tags, leaveOnTerminate, skipLeaveOnInterrupt };
    try {
      await this.#agent.reloadTags(before, tags);
    } catch (error) {
      this.#console.say(`Failed to update tags: ${(error as Error).message}`);
    }
  }
}
