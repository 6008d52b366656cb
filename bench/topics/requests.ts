/**
 * Messages that are produced one at a time and in batches, and fetched, of all peers in turn.
 *
 * @module
 */

import type { Goal, Sample } from "../state/figures.ts";
import type { LoadFlags } from "../state/load.ts";
import { goTime, type Scene, serversOf, startSide } from "../state/scene.ts";

/** A figure of a call. */
interface Figure {
  /** As the load program names it. */
  readonly of: string;
  readonly name: string;
  readonly unit: string;
  readonly more?: boolean;
  /** What it is divided by. Default 1. */
  readonly per?: number;
  readonly goals?: (size: number) => readonly Goal[];
}

/** One kind of load. */
interface Call {
  readonly title: string;
  readonly measure: string;
  readonly flags: LoadFlags;
  readonly figures: readonly Figure[];
}

/** Messages of a batch, and batches under way, each from a client of its own. */
const BATCH = 100;
const IN_FLIGHT = 5;

/** Batches of large messages have fewer. */
const LARGE = 10_240;
const LARGE_BATCH = 25;

const ofThree = (...goals: Goal[]) => (size: number): readonly Goal[] => size === 3 ? goals : [];

const CALLS: readonly Call[] = [
  {
    title: "produce 100 B, one at a time",
    measure: "set",
    flags: { clients: 1 },
    figures: [
      {
        of: "p50_us",
        name: "p50",
        unit: "us",
        goals: (size) => [
          { over: "nats", bound: 0.8 },
          ...size === 3 ? [{ bound: 3_000 }] : [],
        ],
      },
      { of: "p99_us", name: "p99", unit: "us", goals: ofThree({ bound: 20_000 }) },
    ],
  },
  {
    title: `produce 100 B, ${BATCH} in a batch, ${IN_FLIGHT} batches at a time`,
    measure: "batches",
    flags: { clients: IN_FLIGHT, depth: BATCH },
    figures: [
      {
        of: "ops_s",
        name: "messages",
        unit: "1/s",
        more: true,
        goals: ofThree({ over: "nats", bound: 2 }, { over: "redis", bound: 1 }, {
          bound: 100_000,
        }),
      },
      { of: "servers_cpu_us", name: "CPU of all servers, each", unit: "us" },
    ],
  },
  {
    title: `produce 10 KiB, ${LARGE_BATCH} in a batch, ${IN_FLIGHT} batches at a time`,
    measure: "batches",
    flags: { clients: IN_FLIGHT, depth: LARGE_BATCH, bytes: LARGE },
    figures: [{
      of: "ops_s",
      name: "bytes",
      unit: "MiB/s",
      more: true,
      per: 2 ** 20 / LARGE,
      goals: ofThree({ bound: 40 }),
    }],
  },
];

/** What is fetched: by the size of messages, with what is to be reached. */
const FETCHES: readonly (readonly [title: string, bytes: number, share: number, goals: Goal[]])[] =
  [
    ["fetch sequentially, messages of 100 B", 100, 1, [{ over: "redis", bound: 2 }]],
    ["fetch sequentially, messages of 10 KiB", LARGE, 0.02, [{ bound: 300 }]],
  ];

/** Producing, again and again, and fetching what others have produced. */
export async function* measureMessages(scene: Scene, size: number): AsyncGenerator<Sample[]> {
  const { load, peers, sizes } = scene;
  const time = goTime(sizes.requestsMs);
  await using side = await startSide(scene, peers, size);
  // Servers run for long; what has to be compiled first is no figure.
  const warm = { clients: IN_FLIGHT, depth: BATCH, time, topic: "warm" };
  for (const { target } of side.all) await load.run(target, "batches", warm);
  for (let run = 0; run < sizes.runs; run++) {
    for (const { title, measure, flags, figures } of CALLS) {
      for (const { peer: { who }, target } of side.all) {
        const found = await load.run(target, measure, { ...flags, time });
        yield figures.map(({ of, name, unit, more = false, per = 1, goals }) => ({
          row: { name: `${title}: ${name}`, unit, more, goals: goals?.(size) ?? [] },
          who,
          value: found[of]! / per,
        }));
      }
    }
    for (const [title, bytes, share, goals] of FETCHES) {
      for (const { peer: { who }, target } of side.all) {
        const keys = Math.ceil(sizes.keys * share);
        const found = await load.run(target, "read", {
          bytes,
          keys,
          time,
          // Of this round alone.
          topic: `read-${bytes}-${run}`,
          limit: "5m",
        });
        const row = { name: `${title}: bytes`, unit: "MiB/s", more: true, goals };
        yield [{ row, who, value: found["mib_s"]! }];
      }
    }
  }
}

/** Servers that have next to nothing are killed and started again. */
export async function* measureStart(scene: Scene): AsyncGenerator<Sample[]> {
  const { load, peers, sizes } = scene;
  for (const size of [1, 3]) {
    await using side = await startSide(scene, peers, size);
    for (let run = 0; run < sizes.runs; run++) {
      for (const servers of side.all) {
        await Promise.all(servers.hosts.map((_, i) => servers.kill(i)));
        const since = performance.timeOrigin + performance.now();
        for (const i of servers.hosts.keys()) await servers.start(i);
        const { ms } = await load.run(servers.target, "ready", { since });
        const row = {
          name: `${serversOf(size)}: start to the first acknowledged message`,
          unit: "ms",
          more: false,
          goals: [{ bound: size === 1 ? 1_000 : 5_000 }],
        };
        yield [{ row, who: servers.peer.who, value: ms! }];
      }
    }
  }
}
