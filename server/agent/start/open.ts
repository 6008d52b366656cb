/**
 * From the settings of an agent to its core on a bound socket.
 *
 * @module
 */

import { loadCiphers } from "../../../cluster/memberlist/mod.ts";
import { Serf, type SerfEvent } from "../../../cluster/serf/mod.ts";
import { type AgentConfig, ConfigError, DEFAULT_AGENT_CONFIG } from "../../config/load.ts";
import { planAgent } from "../../config/plan.ts";
import type { NetTransport } from "../../gossip/transport.ts";
import { AgentLog } from "../../logging/log.ts";
import { type AgentMetrics, metricsOf } from "../../metrics/agent_metrics.ts";
import { realRuntime } from "../../runtime.ts";
import { callerOf } from "../events/handlers.ts";
import { Listeners } from "../events/listeners.ts";
import {
  initialKeys,
  initialRejoinFile,
  initialTags,
  keyringOf,
  memberlistSettings,
  openTransport,
  serfSettings,
} from "./preparation.ts";
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
  /** The bound network; the core closes it when it is shut down. */
  readonly transport: NetTransport;
}

/**
 * Completes the settings, reads the files, binds the gossip port and makes the core.
 *
 * @throws {ConfigError} when a setting cannot be used.
 * @throws {AgentStartError} when a file cannot be read, the port cannot be had or a setting is out of range.
 */
export async function openAgent(settings: AgentSettings): Promise<OpenAgent> {
  const { handlers, log: ownLog, plan: knownPlan, ...overrides } = settings;
  const config = completed(overrides);
  const plan = knownPlan ?? await planAgent(config);
  const log = ownLog ?? new AgentLog(config.nodeName);
  const metrics = metricsOf(config);
  const listeners = new Listeners(log);
  if (handlers !== undefined) listeners.add(callerOf(handlers, log));
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
    const memberlist = memberlistSettings(config, plan, transport.localAddress, keyring);
    const earlier = recorder && { recorder, restored: recorder.restored };
    const onEvent = (event: SerfEvent): void => listeners.tell(event);
    const runtime = realRuntime(transport, (subsystem) => log.logger(subsystem), metrics);
    const serfConfig = { ...serfSettings(config, tags, memberlist), ...earlier, onEvent };
    const serf = new Serf(serfConfig, runtime);
    // From here on the core closes them.
    opened.move();
    return { config, log, metrics, listeners, serf, transport };
  });
}

/** The settings with the defaults in place of what was left out or is `undefined`. */
function completed(overrides: Partial<AgentConfig>): AgentConfig {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  for (const [key] of given) {
    if (!Object.hasOwn(DEFAULT_AGENT_CONFIG, key)) {
      throw new ConfigError(`Unknown setting '${key}'`);
    }
  }
  const merged = { ...DEFAULT_AGENT_CONFIG, ...Object.fromEntries(given) };
  return { ...merged, nodeName: merged.nodeName || Deno.hostname() };
}

function settingUp<T>(work: () => Promise<T>): Promise<T> {
  return labelled("Failed to setup the Serf agent", work);
}

/** Runs a part of the start whose failure reads like that of creating Serf. */
export function starting<T>(work: () => Promise<T>): Promise<T> {
  return labelled("Failed to start the Serf agent: Error creating Serf", work);
}

async function labelled<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AgentStartError) throw cause;
    throw new AgentStartError(`${label}: ${(cause as Error).message}`, { cause });
  }
}
