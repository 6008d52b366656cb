/**
 * What `stats` tells (docs/spec/agent.md 3, stats).
 *
 * @module
 */

import { handlerStats, parseHandler } from "../config/handler_spec.ts";
import type { AgentHost } from "./host.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** The figures of one agent. */
export class AgentStats {
  readonly #agent: Pick<AgentHost, "config" | "serf">;
  /** Does not change while the process runs; asked for when it is first needed. */
  #runtime: Record<string, string> | undefined;

  /** Figures of `agent`. */
  constructor(agent: Pick<AgentHost, "config" | "serf">) {
    this.#agent = agent;
  }

  /** All groups. */
  groups(): Record<string, Record<string, string>> {
    const { config, serf } = this.#agent;
    return {
      agent: { name: config.nodeName },
      runtime: this.#runtime ??= runtimeStats(),
      serf: serf.stats(),
      tags: serf.tags(),
      event_handlers: handlerStats(config.eventHandlers.map(parseHandler)),
    };
  }
}

/**
 * The group `runtime`, with the names that Serf's users know. One thread runs the agent, so `max_procs` and
 * `goroutines` are 1.
 */
function runtimeStats(): Record<string, string> {
  return {
    os: Deno.build.os,
    arch: ARCHITECTURES[Deno.build.arch] ?? Deno.build.arch,
    version: `deno${Deno.version.deno}`,
    max_procs: "1",
    goroutines: "1",
    cpu_count: String(navigator.hardwareConcurrency),
  };
}
