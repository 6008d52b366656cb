/**
 * `skein agent` from the configuration to the exit code (docs/spec/agent.md 6.1 and 6.7).
 *
 * @module
 */

import { UpdateTimeoutError } from "../../cluster/memberlist/mod.ts";
import { LeaveInProgressError } from "../../cluster/serf/mod.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { addrToHost } from "../../protocol/ip.ts";
import { Agent } from "../agent/agent.ts";
import { blockOf } from "../agent/log_text.ts";
import { retryJoin } from "../agent/start/joins.ts";
import type { RereadFiles } from "../agent/state.ts";
import { type AgentConfig, loadConfig } from "../config/load.ts";
import { AGENT_OPTIONS } from "../config/options/mod.ts";
import type { AgentPlan } from "../config/plan.ts";
import { background } from "../logging/background.ts";
import { isProgramFault } from "../logging/errors.ts";
import type { LogFormat } from "../logging/levels.ts";
import { AgentLog } from "../logging/log.ts";
import type { Syslog } from "../logging/syslog.ts";
import { within } from "../net/deadline.ts";
import type { ReloadReport } from "../rpc/backend.ts";
import { RpcListenError } from "../rpc/server.ts";
import { showBanner, showFirstSteps } from "./banner.ts";
import { compareConfigs, type ConfigChanges } from "./changes.ts";
import { Console } from "./console.ts";
import { Faults } from "./faults.ts";
import { filterOf, openSyslog, prepare, type RunInput } from "./preparation.ts";
import { type ErrorSource, processErrors } from "./process_errors.ts";
import {
  type AgentSignal,
  SIGNAL_NAMES,
  SignalQueue,
  type SignalSource,
  systemSignals,
} from "./signals.ts";

export type { RunInput } from "./preparation.ts";

/** What a graceful leave takes besides two broadcasts: the propagate delay and a margin, in milliseconds. */
const LEAVE_EXTRA_MS = 2_000;

/** The agent must be shut down within this time, or the process ends without it, in milliseconds. */
const SHUTDOWN_LIMIT_MS = 3_000;

/** Exit code after an error that nobody expected: EX_SOFTWARE of sysexits.h, which no other end of an agent has. */
const EXIT_FAULT = 70;

/** Signals that end an agent, or may. */
const ENDING: readonly AgentSignal[] = ["SIGINT", "SIGTERM"];

/** Signals that end a leave (docs/spec/agent.md 6.7). */
const ENDING_LEAVE: readonly AgentSignal[] = [...ENDING, "SIGHUP"];

/** What surrounds the agent. */
export interface RunSurroundings {
  /** Prints a text and ends the line. */
  print(text: string): void;
  /** Prints a text and ends the line, where it does not mix with the others: figures on SIGUSR1. */
  printError(text: string): void;
  /** Where signals come from. Default: the operating system. */
  readonly signals?: SignalSource;
  /** Where errors come from that nobody caught. Default: the process. */
  readonly errors?: ErrorSource;
}

/**
 * Runs an agent until a signal or a `leave` ends it, or an error that nobody expected: then it leaves, as far as it
 * can.
 *
 * @returns The exit code (docs/spec/agent.md 6.7): 0 after a graceful end, 70 after an error that nobody expected, 1
 * otherwise. Nothing is left running.
 */
export async function runAgent(input: RunInput, surroundings: RunSurroundings): Promise<number> {
  const console = new Console((text) => surroundings.print(text));
  const faults = new Faults((text) => surroundings.printError(text));
  const ignore = (surroundings.errors ?? processErrors).listen((error) => faults.take(error));
  try {
    const exitCode = await runFrom(input, surroundings, console, faults);
    if (!faults.any) return exitCode;
  } catch (error) {
    faults.take(error);
  } finally {
    ignore();
  }
  console.openGate();
  return EXIT_FAULT;
}

/** The exit code, as long as there is no fault. */
async function runFrom(
  input: RunInput,
  surroundings: RunSurroundings,
  console: Console,
  faults: Faults,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  try {
    const plan = await prepare(input, console);
    const { config } = plan;
    const log = new AgentLog(config.nodeName);
    stack.defer(faults.goTo(log));
    const syslog = await openSyslog(config, log);
    if (syslog !== undefined) stack.use(syslog);
    console.say("Starting Serf agent...");
    console.attach(log);
    const signals = stack.use(new SignalQueue(surroundings.signals ?? systemSignals));
    // The operator shall see the joins, so they wait for the banner.
    const starting = Agent.start({ plan, startJoin: [], retryJoin: [], log, onError: () => {} });
    stack.defer(async () => void await within(SHUTDOWN_LIMIT_MS, ended(starting)));
    const agent = await Promise.race([starting, faults.first]);
    if (agent instanceof Error) return EXIT_FAULT;
    const run = new Run({ input, surroundings, console, signals, syslog, agent, plan, config });
    const exitCode = await run.untilEnd().catch((error: unknown) => {
      log.unexpected(error);
      return EXIT_FAULT;
    });
    // It leaves then, which takes a while.
    if (faults.any) await agent.closed;
    return exitCode;
  } catch (error) {
    if (isProgramFault(error)) throw error;
    console.fail((error as Error).message);
    return 1;
  }
}

/** Shuts the agent down, if it starts at all. */
async function ended(starting: Promise<Agent>): Promise<void> {
  try {
    await (await starting).shutdown();
  } catch {
    // What could not be closed is in the log; why there is no agent was told where the start was waited for.
  }
}

/** What a {@linkcode Run} works with. */
interface RunParts {
  readonly input: RunInput;
  readonly surroundings: RunSurroundings;
  readonly console: Console;
  readonly signals: SignalQueue;
  readonly syslog: Syslog | undefined;
  readonly agent: Agent;
  readonly plan: AgentPlan;
  readonly config: AgentConfig;
}

/** One started agent until its end. */
class Run {
  readonly #parts: RunParts;
  readonly #agent: Agent;
  readonly #console: Console;
  readonly #signals: SignalQueue;
  /** The settings in effect. */
  #config: AgentConfig;
  /** Where RPC clients are let in. */
  #rpcAddr = "";
  #retrying = new AbortController();
  #reloads: Promise<unknown> = Promise.resolve();

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#agent = parts.agent;
    this.#console = parts.console;
    this.#signals = parts.signals;
    this.#config = parts.config;
  }

  /** Resolves with the exit code; the agent may still be there then. */
  async untilEnd(): Promise<number> {
    try {
      if (!this.#listen()) return 1;
      if (!await this.#startJoin()) return 1;
      this.#showFirstSteps();
      this.#console.detail("");
      this.#console.say("Log data will now stream in as it occurs:");
      this.#console.detail("");
      this.#console.openGate();
      return await this.#serve();
    } finally {
      this.#retrying.abort();
    }
  }

  #listen(): boolean {
    const { rpcAddr } = this.#config;
    const reload = async () => {
      const result = await this.#reloadInTurn();
      if (result instanceof Error) throw result;
      return result;
    };
    const own = this.#agent.serf.localMember();
    try {
      const { hostname, port } = this.#agent.listenRpc(rpcAddr, { reload }).address;
      this.#rpcAddr = rpcAddr.endsWith(":0") ? joinHostPort(hostname, port) : rpcAddr;
      this.#console.say("Starting Serf agent RPC...");
      showBanner(this.#console, this.#config, {
        address: this.#agent.address,
        advertise: { host: addrToHost(own.addr), port: own.port },
        rpcAddr: this.#rpcAddr,
        encrypted: this.#agent.serf.encrypted,
        state: this.#agent.state?.addresses,
      });
      return true;
    } catch (error) {
      if (!(error instanceof RpcListenError)) throw error;
      this.#console.fail(`Error starting RPC listener: ${error.message}`);
      return false;
    }
  }

  /** Joins the `startJoin` addresses; `false` when none answered. A signal that ends the agent ends the wait. */
  async #startJoin(): Promise<boolean> {
    const { startJoin, replayOnJoin: replay } = this.#config;
    if (startJoin.length === 0) return true;
    this.#console.say(`Joining cluster...(replay: ${replay})`);
    const cancel = new AbortController();
    const join = this.#agent.join(startJoin, { replay, signal: cancel.signal }).then(
      (joined) => ({ joined }),
      (error: unknown) => ({ error }),
    );
    const result = await this.#unless(ENDING, join);
    if (result === undefined) {
      cancel.abort();
      return true;
    }
    if ("error" in result) {
      this.#console.fail(blockOf(result.error));
      return false;
    }
    this.#console.info(`Join completed. Synced with ${result.joined} initial agents`);
    return true;
  }

  #showFirstSteps(): void {
    const { kvAddr, topicsAddr } = this.#agent.state?.addresses ?? {};
    const { dev, kv: { mode, tokensFile, tlsCert } } = this.#config;
    // Who has set one of these knows what to say to the port, and without a token or TLS nobody gets far.
    const isPlain = mode === "json" && tokensFile === "" && tlsCert === "";
    if (!dev || kvAddr === undefined || !isPlain) return;
    this.#console.detail("");
    showFirstSteps(this.#console, { kvAddr, topicsAddr, rpcAddr: this.#rpcAddr });
  }

  async #serve(): Promise<number> {
    const closed = this.#agent.closed.then((error) => error ?? "closed" as const);
    const joining = retryJoin(this.#agent, this.#config, this.#retrying.signal);
    const gaveUp = joining.then(async (gaveUp) => gaveUp ? "gave up" as const : await closed);
    for (;;) {
      const reason = await Promise.race([closed, gaveUp, this.#signals.waiting]);
      if (reason === "closed") return 0;
      if (reason instanceof Error) {
        if (!isProgramFault(reason)) this.#console.fail(reason.message);
        return 1;
      }
      if (reason === "gave up") return 1;
      const signal = this.#signals.take();
      const exitCode = signal === undefined ? undefined : await this.#handle(signal);
      if (exitCode !== undefined) return exitCode;
    }
  }

  /** The exit code, or `undefined` when the agent goes on. */
  async #handle(signal: AgentSignal): Promise<number | undefined> {
    if (signal === "SIGUSR1" || signal === "SIGBREAK") {
      this.#showMetrics();
      return undefined;
    }
    this.#console.say(`Caught signal: ${SIGNAL_NAMES[signal]}`);
    const { leaveOnTerminate, skipLeaveOnInterrupt } = this.#config;
    switch (signal) {
      case "SIGHUP":
        background(this.#reloadInTurn(), this.#agent.log);
        return undefined;
      case "SIGINT":
        return skipLeaveOnInterrupt ? 1 : await this.#leave();
      case "SIGTERM":
        return leaveOnTerminate ? await this.#leave() : 1;
    }
  }

  #showMetrics(): void {
    const figures = this.#agent.metrics.dump().trimEnd();
    if (figures !== "") this.#parts.surroundings.printError(figures);
  }

  /** Leaves within what a leave can take; another signal, but SIGUSR1, ends the wait. */
  async #leave(): Promise<number> {
    this.#console.say("Gracefully shutting down agent...");
    const leave = this.#agent.leave().then(
      () => 0,
      (error: Error) => {
        // An RPC client was first: its leave ends the agent.
        if (error instanceof LeaveInProgressError) return this.#agent.closed.then(() => 0);
        if (isProgramFault(error)) throw error;
        this.#console.fail(`Error: ${error.message}`);
        return 1;
      },
    );
    const limit = 2 * this.#config.broadcastTimeoutMs + LEAVE_EXTRA_MS;
    return await within(limit, this.#unless(ENDING_LEAVE, leave)) ?? 1;
  }

  /** What `work` gives, or `undefined` when one of some signals comes before that. Other signals are handled. */
  async #unless<T>(ending: readonly AgentSignal[], work: Promise<T>): Promise<T | undefined> {
    for (;;) {
      const result = await Promise.race([work.then((value) => ({ value })), this.#signals.waiting]);
      if (result !== undefined) return result.value;
      const { next } = this.#signals;
      if (next === undefined || ending.includes(next)) return undefined;
      this.#signals.take();
      await this.#handle(next);
    }
  }

  /** Reloads when the reloads that were asked for before are done. */
  #reloadInTurn(): Promise<ReloadReport | Error> {
    const reload = this.#reloads.then(() => this.#reload());
    // Who asked for it hears of a fault; the next one may go well.
    this.#reloads = reload.catch(() => {});
    return reload;
  }

  /**
   * Takes over what can change while the agent runs (docs/spec/agent.md 6.7), all of it or, when something is wrong, nothing; gives what
   * it was then.
   */
  async #reload(): Promise<ReloadReport | Error> {
    this.#console.say("Reloading configuration...");
    let changes: ConfigChanges;
    let files: RereadFiles | undefined;
    try {
      const { configPaths, flags, environment } = this.#parts.input;
      const { config, warnings } = await loadConfig(configPaths, flags, environment);
      for (const warning of warnings) this.#console.warn(warning);
      changes = compareConfigs(AGENT_OPTIONS, this.#config, config);
      files = await this.#agent.state?.reread();
      await this.#reloadTags(changes.next.tags);
    } catch (error) {
      if (isProgramFault(error)) throw error;
      this.#console.fail((error as Error).message);
      this.#console.fail("Failed to reload configs");
      return error as Error;
    }
    await this.#apply(changes);
    files?.apply();
    const applied = [...changes.applicable, ...files?.changed ?? []];
    this.#report(applied, changes.restart);
    return { applied, restart: changes.restart };
  }

  async #reloadTags(tags: AgentConfig["tags"]): Promise<void> {
    const { tags: before, tagsFile } = this.#config;
    if (tagsFile !== "" && Object.keys(tags).length > 0) {
      throw new Error("Tags config not allowed while using tag files");
    }
    try {
      await this.#agent.reloadTags(before, tags);
    } catch (error) {
      const text = `Failed to update tags: ${(error as Error).message}`;
      if (!(error instanceof UpdateTimeoutError)) throw new Error(text, { cause: error });
      // The tags are in effect, only the news of them is late.
      this.#console.warn(text);
    }
  }

  async #apply({ applicable, next }: ConfigChanges): Promise<void> {
    this.#config = next;
    this.#console.format = next.logFormat as LogFormat;
    this.#console.filter = filterOf(next);
    if (this.#parts.syslog !== undefined) this.#parts.syslog.filter = filterOf(next);
    this.#agent.state?.logRequests(filterOf(next).admits("DEBUG", "agent.kv"));
    await this.#agent.reloadHandlers(next.eventHandlers);
    if (!applicable.includes("retry_join")) return;
    this.#retrying.abort();
    this.#retrying = new AbortController();
    // An agent that runs must not end because of an address that came later.
    const forever = { ...next, retryMaxAttempts: 0 };
    background(retryJoin(this.#agent, forever, this.#retrying.signal), this.#agent.log);
  }

  #report(applied: readonly string[], restart: readonly string[]): void {
    const nothing = applied.length === 0 ? ", nothing to apply" : "";
    const names = applied.length === 0 ? "" : `. Applied: ${applied.join(", ")}`;
    this.#console.say(`Configuration reloaded${nothing}${names}`, { applied });
    if (restart.length === 0) return;
    this.#console.say(`Changed, but not before a restart: ${restart.join(", ")}`, { restart });
  }
}
