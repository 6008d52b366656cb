/**
 * Requests of one and of many clients, each with one request under way, and of clients that send many at once.
 *
 * @module
 */

import type { Goal, Sample, Who } from "./figures.ts";
import { goTime, type Scene, startSide } from "./scene.ts";

/** A figure of a call. */
interface Figure {
  /** As the load program names it. */
  readonly of: string;
  readonly name: string;
  readonly unit: string;
  readonly more?: boolean;
  readonly goals?: (size: number) => readonly Goal[];
}

/** One kind of load. */
interface Call {
  readonly title: string;
  readonly measure: string;
  readonly clients: number;
  readonly figures: readonly Figure[];
  /** Who can do that; default: all. */
  readonly isFor?: (who: Who, size: number) => boolean;
}

const overEtcd = (bound: number) => (): readonly Goal[] => [{ over: "etcd", bound }];

/** What a reading client of Redis gets from a primary is what it calls a read; with replicas nobody vouches for it. */
const isLinearizable: NonNullable<Call["isFor"]> = (who, size) => who !== "redis" || size === 1;

const CALLS: readonly Call[] = [
  {
    title: "SET 100 B, one at a time",
    measure: "set",
    clients: 1,
    figures: [
      {
        of: "p50_us",
        name: "p50",
        unit: "us",
        goals: (size) => [
          { over: "etcd", bound: 0.8 },
          ...size === 1 ? [] : [{ over: "redis", bound: 1 } as const],
        ],
      },
      { of: "p99_us", name: "p99", unit: "us", goals: overEtcd(1) },
      { of: "mean_us", name: "mean", unit: "us" },
    ],
  },
  {
    title: "SET 100 B, 64 clients",
    measure: "set",
    clients: 64,
    figures: [
      {
        of: "ops_s",
        name: "answers",
        unit: "1/s",
        more: true,
        goals: (size) => [
          { over: "etcd", bound: size === 1 ? 2 : 2.5 },
          { over: "hraft", bound: 1 },
        ],
      },
      { of: "p99_us", name: "p99", unit: "us" },
      {
        of: "servers_cpu_us",
        name: "CPU of all servers, each",
        unit: "us",
        goals: overEtcd(0.5),
      },
    ],
  },
  {
    title: "SET 100 B, 8 clients with 64 at once",
    measure: "batches",
    clients: 8,
    isFor: (who) => who !== "etcd",
    figures: [
      { of: "ops_s", name: "answers", unit: "1/s", more: true },
      { of: "servers_cpu_us", name: "CPU of all servers, each", unit: "us" },
    ],
  },
  {
    title: "SET 100 B, 64 under way on one connection",
    measure: "set-pipelined",
    clients: 1,
    figures: [
      {
        of: "ops_s",
        name: "answers",
        unit: "1/s",
        more: true,
        goals: (size) => size === 1 ? [] : [{ bound: 20_000 }],
      },
      { of: "p99_us", name: "p99", unit: "us" },
    ],
  },
  {
    title: "GET, one at a time",
    measure: "get",
    clients: 1,
    isFor: isLinearizable,
    figures: [
      { of: "p50_us", name: "p50", unit: "us", goals: overEtcd(0.7) },
      { of: "p99_us", name: "p99", unit: "us" },
      { of: "mean_us", name: "mean", unit: "us" },
    ],
  },
  {
    title: "GET, 64 clients",
    measure: "get",
    clients: 64,
    isFor: isLinearizable,
    figures: [{ of: "ops_s", name: "answers", unit: "1/s", more: true, goals: overEtcd(3) }],
  },
  {
    title: "GET, 64 under way on one connection",
    measure: "get-pipelined",
    clients: 1,
    isFor: isLinearizable,
    figures: [{ of: "ops_s", name: "answers", unit: "1/s", more: true }],
  },
  {
    title: "GET stale, 64 clients",
    measure: "stale",
    clients: 64,
    figures: [{
      of: "ops_s",
      name: "answers",
      unit: "1/s",
      more: true,
      goals: () => [{ over: "etcd", bound: 3 }, { over: "redis", bound: 0.6 }],
    }],
  },
  {
    title: "GET stale, 64 under way on one connection",
    measure: "stale-pipelined",
    clients: 1,
    figures: [{
      of: "ops_s",
      name: "answers",
      unit: "1/s",
      more: true,
      goals: () => [{ bound: 100_000 }],
    }],
  },
];

/** Every kind of request, of all peers in turn, over and over. */
export async function* measureRequests(scene: Scene, size: number): AsyncGenerator<Sample[]> {
  const { load, peers, sizes } = scene;
  await using side = await startSide(scene, peers, size);
  const time = goTime(sizes.requestsMs);
  // Servers run for long; what has to be compiled first is no figure.
  for (const { target } of side.all) await load.run(target, "set", { clients: 64, time });
  for (let run = 0; run < sizes.runs; run++) {
    for (const { title, measure, clients, figures, isFor } of CALLS) {
      for (const { peer: { who }, target } of side.all) {
        if (isFor?.(who, size) === false) continue;
        const found = await load.run(target, measure, { clients, time });
        yield figures.map(({ of, name, unit, more = false, goals }) => ({
          row: { name: `${title}: ${name}`, unit, more, goals: goals?.(size) ?? [] },
          who,
          value: found[of] as number,
        }));
      }
    }
  }
}
