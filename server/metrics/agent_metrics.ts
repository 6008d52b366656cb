/**
 * The figures of one agent: added up in memory for SIGUSR1, and sent to statsd and statsite servers (docs/spec/agent.md
 * 6.11).
 *
 * @module
 */

import type { Metrics } from "../../cluster/runtime.ts";
import { Intervals } from "./intervals.ts";

/** What every name begins with (docs/spec/agent.md 6.11). */
const SERVICE = "serf-agent";

/** Longest name in UTF-16 units; longer ones are cut. Names of events may have several thousand bytes. */
const MAX_NAME = 256;

/**
 * What would end or split a line of a sink or of the dump; Serf replaces spaces and colons (docs/spec/agent.md 6.11).
 */
// deno-lint-ignore no-control-regex
const UNFIT = /[\s:|\x00-\x1f\x7f-\x9f]/g;

/**
 * Takes lines of the statsd protocol.
 *
 * @example
 * ```ts
 * import { Agent, type MetricSink } from "@skein/agent";
 *
 * const sink: MetricSink = { push: (line) => console.log(line.trim()) };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * agent.metrics.add(sink);
 * ```
 */
export interface MetricSink {
  /** Takes one line, which ends in a line break. Must not throw. */
  push(line: string): void;
}

/**
 * What {@linkcode AgentMetrics} can be given.
 *
 * @example
 * ```ts
 * import type { AgentMetricsOptions } from "@skein/agent";
 *
 * const options: AgentMetricsOptions = { host: "alpha", now: () => 0 };
 * console.log(options.host);
 * ```
 */
export interface AgentMetricsOptions {
  /** Put into the names of gauges, so that the agents of a cluster stay apart; "" for none. */
  readonly host?: string;
  /** Wall time in milliseconds. Default: the system's. */
  readonly now?: () => number;
}

/**
 * A place for the figures of an agent with these settings. Gauges carry the host's name when a server gets them
 * (docs/spec/agent.md 6.11).
 */
export function metricsOf(settings: { statsdAddr: string; statsiteAddr: string }): AgentMetrics {
  const sent = settings.statsdAddr !== "" || settings.statsiteAddr !== "";
  return new AgentMetrics({ host: sent ? Deno.hostname() : "" });
}

/**
 * Takes the figures of an agent. Costs about a tenth of a microsecond each without a sink.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * agent.metrics.add({ push: (line) => console.log(line.trim()) });
 * agent.event("deploy", "v1.2");
 * ```
 */
export class AgentMetrics implements Metrics {
  readonly #intervals: Intervals;
  readonly #gaugePrefix: string;
  readonly #sinks = new Set<MetricSink>();

  /** No figures yet. */
  constructor({ host = "", now = Date.now }: AgentMetricsOptions = {}) {
    this.#gaugePrefix = host === "" ? `${SERVICE}.` : `${SERVICE}.${host.replace(UNFIT, "_")}.`;
    this.#intervals = new Intervals(now, () => this.#measureProcess());
  }

  /** Also sends every figure to `sink`. */
  add(sink: MetricSink): void {
    this.#sinks.add(sink);
  }

  /** Ends that. */
  remove(sink: MetricSink): void {
    this.#sinks.delete(sink);
  }

  /** Something happened `n` times. */
  count(name: string, n = 1): void {
    const key = keyOf(name);
    this.#intervals.count(key, n);
    if (this.#sinks.size > 0) this.#push("counter", key, n, "c");
  }

  /** A value is now this. */
  gauge(name: string, value: number): void {
    const key = keyOf(name);
    this.#intervals.gauge(key, value);
    if (this.#sinks.size > 0) this.#push("gauge", key, value, "g");
  }

  /** One of many values. */
  sample(name: string, value: number): void {
    const key = keyOf(name);
    this.#intervals.sample(key, value);
    if (this.#sinks.size > 0) this.#push("sample", key, value, "ms");
  }

  /** The completed intervals of the last minute, one figure a line, as Serf writes them on SIGUSR1. Times are UTC. */
  dump(): string {
    return this.#intervals.dump((name, kind) => this.#label(name, kind));
  }

  #push(kind: Kind, key: string, value: number, type: string): void {
    const line = `${this.#label(key, kind)}:${value.toFixed(6)}|${type}\n`;
    for (const sink of this.#sinks) sink.push(line);
  }

  #label(name: string, kind: Kind): string {
    const prefix = kind === "gauge" ? this.#gaugePrefix : `${SERVICE}.`;
    return prefix + name.replace(UNFIT, "_");
  }

  /** Once per interval, under the names that Go's runtime uses. */
  #measureProcess(): void {
    const { heapUsed, rss } = Deno.memoryUsage();
    this.gauge("runtime.alloc_bytes", heapUsed);
    this.gauge("runtime.sys_bytes", rss);
  }
}

type Kind = "gauge" | "counter" | "sample";

function keyOf(name: string): string {
  return name.length > MAX_NAME ? name.slice(0, MAX_NAME) : name;
}
