/**
 * From the settings of an agent to its core on a bound socket.
 *
 * @module
 */

import { type Keyring, loadCiphers } from "../../../cluster/memberlist/mod.ts";
import type { Logger } from "../../../cluster/runtime.ts";
import { Serf } from "../../../cluster/serf/mod.ts";
import { mismatch } from "../../../protocol/arguments.ts";
import { requireUsable } from "../../config/checks.ts";
import { ConfigError } from "../../config/error.ts";
import { planAgent } from "../../config/plan.ts";
import { type AgentConfig, completeConfig } from "../../config/settings.ts";
import type { NetTransport } from "../../gossip/transport.ts";
import { AgentLog } from "../../logging/log.ts";
import { type AgentMetrics, metricsOf } from "../../metrics/agent_metrics.ts";
import { realRuntime } from "../../runtime.ts";
import { HandlerFaults } from "../events/handler_error.ts";
import { callerOf } from "../events/handlers.ts";
import { Listeners } from "../events/listeners.ts";
import { initialKeys, initialRejoinFile, initialTags } from "./kept.ts";
import { keyringOf, memberlistSettings, openTransport, serfSettings } from "./layers.ts";
import type { AgentSettings } from "./settings.ts";

/**
 * An agent could not be started; nothing is left running. The message has the form of the Go agent.
 *
 * @example
 * ```ts
 * import { Agent, AgentStartError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using first = await Agent.start({ bind: "127.0.0.1:0" });
 * const taken = `127.0.0.1:${first.address.port}`;
 * await assert.rejects(Agent.start({ bind: taken }), AgentStartError);
 * ```
 */
export class AgentStartError extends Error {
  /** "AgentStartError". */
  override readonly name = "AgentStartError";
}

/** What a failed start says first: while files are read, and while the core is made. */
export const FAILED = {
  setup: "Failed to setup the Serf agent",
  start: "Failed to start the Serf agent: Error creating Serf",
} as const;

/** An agent that has not begun yet: its core, its network and what surrounds them. */
export interface OpenAgent {
  /** The settings, complete. */
  readonly config: AgentConfig;
  /** The log. */
  readonly log: AgentLog;
  /** The figures. */
  readonly metrics: AgentMetrics;
  /** Whoever hears of events. */
  readonly listeners: Listeners;
  /** The core. */
  readonly serf: Serf;
  /** Token that RPC clients must show; "" for none. */
  readonly rpcAuth: string;
  /** The keys of gossip, if it is encrypted. */
  readonly keyring: Keyring | undefined;
  /** The bound network; the core closes it when it is shut down. */
  readonly transport: NetTransport;
}

/**
 * Completes and checks the settings unless there is a plan, reads the files, binds the gossip port and makes the core.
 *
 * @throws {ConfigError} when a setting cannot be used.
 * @throws {AgentStartError} when a file cannot be read, the port cannot be had or a setting is out of range.
 */
export async function openAgent(settings: AgentSettings): Promise<OpenAgent> {
  requireKinds(settings);
  const { handlers = {}, log: ownLog, onError, plan: knownPlan, ...given } = settings;
  const config = completeConfig(given, knownPlan?.config);
  const plan = knownPlan ?? await planAgent(requireUsable(config));
  const log = ownLog ?? new AgentLog(config.nodeName);
  const metrics = metricsOf(config);
  const faults = new HandlerFaults(log, onError);
  const listeners = new Listeners(log, faults);
  const caller = callerOf(handlers, log, faults);
  if (caller !== undefined) listeners.add(caller);
  const tags = await settingUp(() => initialTags(config, log));
  const fileKeys = await settingUp(() => initialKeys(config, log));
  log.write("INFO", "agent", "Serf agent starting");
  return await starting(async () => {
    await using opened = new AsyncDisposableStack();
    // Before the socket: no event of an earlier life may come in before the clocks are set on.
    const recorder = opened.use(await initialRejoinFile(config, log, metrics));
    const transport = await openTransport(plan.bind, log);
    opened.defer(() => transport.close());
    const keyring = fileKeys ?? keyringOf(plan);
    if (keyring !== undefined) await loadCiphers();
    const memberlist = memberlistSettings(config, plan, transport, keyring);
    const earlier = recorder && { recorder, restored: recorder.restored };
    const logger = (subsystem: string): Logger => log.logger(subsystem);
    const runtime = realRuntime(transport, logger, metrics, (error) => log.unexpected(error));
    const serfConfig = serfSettings(config, tags, memberlist, listeners);
    const serf = new Serf({ ...serfConfig, ...earlier }, runtime);
    // From here on the core closes them.
    opened.move();
    const { rpcAuth } = plan;
    return { config, log, metrics, listeners, serf, rpcAuth, keyring, transport };
  });
}

/** @throws {ConfigError} when what only a program can give is of a wrong type. */
function requireKinds(settings: AgentSettings): void {
  const kinds = { handlers: "object", log: "object", onError: "function", plan: "object" } as const;
  const problem = mismatch(settings, "object");
  if (problem !== undefined) throw new ConfigError(`Invalid settings: ${problem}`);
  for (const [name, kind] of Object.entries(kinds)) {
    const value = settings[name as keyof typeof kinds];
    const problem = value === undefined ? undefined : mismatch(value, kind);
    if (problem !== undefined) throw new ConfigError(`Invalid setting '${name}': ${problem}`);
  }
}

function settingUp<T>(work: () => Promise<T>): Promise<T> {
  return labelled(FAILED.setup, work);
}

/** Runs a part of the start whose failure reads like that of creating Serf. */
export function starting<T>(work: () => Promise<T>): Promise<T> {
  return labelled(FAILED.start, work);
}

async function labelled<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AgentStartError) throw cause;
    throw new AgentStartError(`${label}: ${(cause as Error).message}`, { cause });
  }
}
