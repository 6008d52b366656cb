/**
 * RPC calls as fast as they are answered.
 *
 * @module
 */

import type { AgentProcess } from "../../tests/support/agents.ts";
import { load, type LoadOptions } from "../load.ts";
import type { Metric, Sample, Who } from "../measure.ts";
import { cpuMs } from "../process.ts";

/** How requests come. */
type Way = "pipelined" | "50 connections" | "100 connections" | "one at a time";

const WAYS: Record<Way, Pick<LoadOptions, "connections" | "window">> = {
  "pipelined": { connections: 1, window: 64 },
  "50 connections": { connections: 50, window: 1 },
  "100 connections": { connections: 100, window: 1 },
  "one at a time": { connections: 1, window: 1 },
};

/** Most `event` requests of one round: each is gossiped, and a flood would measure the queues. */
const MAX_EVENTS = 20_000;

/** A command, as a user of `size` members calls it. */
export interface Call {
  readonly command: string;
  readonly way: Way;
  /** Least answers per second, over serf's. */
  readonly atLeast?: number;
}

/** The calls that are measured with this many members. */
export function callsFor(size: number): readonly Call[] {
  const pipelined = (command: string, atLeast: number): Call => ({
    command,
    way: "pipelined",
    atLeast,
  });
  if (size < 30) {
    return [
      pipelined("members", 1.2),
      ...size === 1
        ? [pipelined("stats", 1.2), pipelined("get-coordinate", 1.2), pipelined("event", 1.5)]
        : [],
    ];
  }
  return [
    pipelined("members", 3),
    { command: "members", way: "50 connections", atLeast: 2.5 },
    { command: "members", way: "100 connections", atLeast: 2.5 },
    ...["members", "stats", "get-coordinate"].map((command): Call => ({
      command,
      way: "one at a time",
    })),
  ];
}

/** Calls `target`, one member of a cluster of `size`, for `durationMs`. */
export async function measureCall(
  who: Who,
  target: AgentProcess,
  size: number,
  { command, way, atLeast }: Call,
  durationMs: number,
): Promise<Sample[]> {
  const before = cpuMs(target.pid);
  const body = bodyOf(command, target);
  const result = await load({
    rpc: target.rpc,
    command,
    ...body === undefined ? {} : { body },
    ...WAYS[way],
    durationMs,
    ...command === "event" ? { limit: MAX_EVENTS } : {},
  });
  const name = `${command}, ${size} member${size === 1 ? "" : "s"}, ${way}`;
  const sample = (what: string, metric: Omit<Metric, "name">, value: number): Sample => ({
    who,
    value,
    metric: { name: `${name}: ${what}`, ...metric },
  });
  const samples = [
    sample("answers", {
      unit: "1/s",
      more: true,
      ...atLeast === undefined ? {} : { goal: { of: "skein / serf", bound: atLeast } },
    }, result.perSecond),
    sample(
      "CPU of the agent",
      { unit: "us each", more: false },
      (cpuMs(target.pid) - before) * 1000 / result.answers,
    ),
  ];
  if (way === "pipelined") return samples;
  const alone = way === "one at a time";
  return [
    ...samples,
    sample("p50", {
      unit: "ms",
      more: false,
      ...alone ? { goal: { of: "skein / deno", bound: 1.15 } } : {},
    }, result.p50Ms),
    sample("p99", {
      unit: "ms",
      more: false,
      goal: { of: "skein / serf", bound: alone ? 1 : 0.5 },
    }, result.p99Ms),
  ];
}

/** The body of the request, `undefined` for none. */
export function bodyOf(command: string, target: AgentProcess): unknown {
  switch (command) {
    case "event":
      return { Name: "deploy", Payload: new Uint8Array(32), Coalesce: false };
    case "get-coordinate":
      return { Node: target.name };
    default:
      return undefined;
  }
}
