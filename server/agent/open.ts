/**
 * From the settings of an agent to its core on a bound socket.
 *
 * @module
 */

import { Serf, type SerfEvent } from "../../cluster/serf/mod.ts";
import type { Metrics } from "../../cluster/runtime.ts";
import type { AgentConfig } from "../config.ts";
import type { AgentPlan } from "../config/plan.ts";
import type { AgentLog } from "../logging.ts";
import { realRuntime } from "../runtime.ts";
import type { NetTransport } from "../transport.ts";
import {
  initialKeys,
  initialTags,
  keyringOf,
  memberlistSettings,
  openTransport,
  serfSettings,
} from "./preparation.ts";

/** An agent could not be started; nothing is left running. The message has the form of the Go agent. */
export class AgentStartError extends Error {
  /** "AgentStartError". */
  override readonly name = "AgentStartError";
}

/** A core that has not started yet, and its network. */
export interface OpenCore {
  /** The core. */
  readonly serf: Serf;
  /** The bound network; the core closes it when it is shut down. */
  readonly transport: NetTransport;
}

/** What an agent is to be, and where it reports. */
export interface CoreInput {
  /** The settings, complete. */
  readonly config: AgentConfig;
  /** What follows from them. */
  readonly plan: AgentPlan;
  /** The log. */
  readonly log: AgentLog;
  /** Where figures go. */
  readonly metrics: Metrics;
  /** Called with every event, in order. */
  onEvent(event: SerfEvent): void;
}

/**
 * Reads the files, binds the gossip port and makes the core.
 *
 * @throws {AgentStartError} when a file cannot be read, the port cannot be had or a setting is out of range.
 */
export async function openCore(
  { config, plan, log, metrics, onEvent }: CoreInput,
): Promise<OpenCore> {
  const tags = await settingUp(() => initialTags(config, log));
  const fileKeys = await settingUp(() => initialKeys(config, log));
  log.write("INFO", "agent", "Serf agent starting");
  return await starting(async () => {
    const transport = await openTransport(plan.bind, log);
    try {
      const keyring = fileKeys ?? keyringOf(plan);
      const memberlist = memberlistSettings(config, plan, transport.localAddress, keyring);
      const settings = { ...serfSettings(config, tags, memberlist), onEvent };
      const runtime = realRuntime(transport, (subsystem) => log.logger(subsystem), metrics);
      return { serf: new Serf(settings, runtime), transport };
    } catch (error) {
      await transport.close();
      throw error;
    }
  });
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
    throw new AgentStartError(`${label}: ${(cause as Error).message}`, { cause });
  }
}
