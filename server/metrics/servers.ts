/**
 * Sends the figures of an agent to the servers that its settings name. To be loaded when they name one.
 *
 * @module
 */

import type { AgentLog } from "../logging/log.ts";
import { closeTogether } from "../net/closing.ts";
import type { AgentMetrics } from "./agent_metrics.ts";
import { connectStatsd, connectStatsite } from "./connections.ts";
import { LineSink } from "./line_sink.ts";

/** The servers, each as `host:port` or "" for none. */
export interface MetricServers {
  /** A statsd server, UDP. */
  readonly statsdAddr: string;
  /** A statsite server, TCP. */
  readonly statsiteAddr: string;
}

/** Sends `metrics` to the servers from now on. Returns what ends that. */
export function sendMetrics(
  metrics: AgentMetrics,
  { statsdAddr, statsiteAddr }: MetricServers,
  log: AgentLog,
): AsyncDisposable {
  const warn = (text: string): void => log.write("WARN", "agent", text);
  const sinks: LineSink[] = [];
  if (statsiteAddr !== "") {
    const server = `statsite server '${statsiteAddr}'`;
    const connect = (signal: AbortSignal) => connectStatsite(statsiteAddr, signal);
    sinks.push(new LineSink({ server, warn, connect }));
  }
  if (statsdAddr !== "") {
    const server = `statsd server '${statsdAddr}'`;
    sinks.push(new LineSink({ server, warn, connect: () => connectStatsd(statsdAddr) }));
  }
  for (const sink of sinks) metrics.add(sink);
  return {
    async [Symbol.asyncDispose]() {
      for (const sink of sinks) metrics.remove(sink);
      await closeTogether(sinks.map((sink) => () => sink[Symbol.asyncDispose]()));
    },
  };
}
