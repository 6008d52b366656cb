/**
 * The port of topics by itself, and skein's client beside the load program: requests that need no majority.
 *
 * @module
 */

import { connectTopics } from "../../tests/support/bench/topic_client.ts";
import { quantile } from "../measure.ts";
import type { Goal, Row, Sample } from "../state/figures.ts";
import { goTime, type Scene, startSide } from "../state/scene.ts";

/** How long connections rest at least before memory is read, in milliseconds. */
const REST_MS = 1_000;

/** Messages that are produced in a second beside them, on so many connections. */
const RATE = 1_000;
const WORKING = 16;

/** Requests on one connection at a time. */
const DEPTH = 100;

/** Memory that all idle connections may take together, in MiB. */
const IDLE_MIB = 400;

const row = (name: string, unit: string, more: boolean, ...goals: Goal[]): Row => ({
  name,
  unit,
  more,
  goals,
});

/** `ServerRequestLatency`: HealthCheck and its answer, one under way. */
export async function* measureLatency(scene: Scene): AsyncGenerator<Sample[]> {
  await using skein = await startSkein(scene);
  const { load, target, sizes } = skein;
  for (let run = 0; run < sizes.runs; run++) {
    const found = await load.run(target, "get", { clients: 1, time: goTime(sizes.requestsMs) });
    yield [
      of(row("HealthCheck: p50", "us", false, { bound: 100 }), found["p50_us"]!),
      of(row("HealthCheck: p99", "us", false, { bound: 1_000 }), found["p99_us"]!),
      of(row("HealthCheck: CPU of the server, each", "us", false), found["servers_cpu_us"]!),
    ];
  }
}

/** `SustainedThroughput`: HealthCheck, many under way on one connection, for long. */
export async function* measureThroughput(scene: Scene): AsyncGenerator<Sample[]> {
  await using skein = await startSkein(scene);
  const { load, target, sizes } = skein;
  for (let run = 0; run < sizes.runs; run++) {
    const time = goTime(sizes.sessionsMs);
    const found = await load.run(target, "get-pipelined", { depth: DEPTH, time });
    const name = `HealthCheck, ${DEPTH} under way on one connection`;
    yield [
      of(row(`${name}: answers`, "1/s", true, { bound: 200_000 }), found["ops_s"]!),
      of(row(`${name}: p99`, "us", false), found["p99_us"]!),
      of(row(`${name}: CPU of the server, each`, "us", false), found["servers_cpu_us"]!),
    ];
  }
}

/** `ConcurrentConnections`: as many as a server takes, with those that work beside them; they say nothing. */
export async function* measureConnections(scene: Scene): AsyncGenerator<Sample[]> {
  const { sizes } = scene;
  const { runs, connections } = sizes;
  const clients = connections - WORKING;
  const name = `${clients.toLocaleString("en-US")} idle connections`;
  for (let run = 0; run < runs; run++) {
    await using skein = await startSkein(scene);
    const { load, target } = skein;
    const time = goTime(REST_MS + sizes.rateMs);
    const [found, beside] = await Promise.all([
      load.run(target, "idle", { clients, time, limit: "3m" }),
      load.run(target, "rate", { rate: RATE, clients: WORKING, time }),
    ]);
    const all = found["kib_each"]! * clients / 1_024;
    const others = `${RATE.toLocaleString("en-US")} messages a second beside them`;
    yield [
      of(row(`${name}: memory of all`, "MiB", false, { bound: IDLE_MIB }), all),
      of(row(`${name}: memory of each`, "KiB", false), found["kib_each"]!),
      of(row(`${name}: until all are open and answered`, "ms", false), found["ms"]!),
      of(row(`${others}: acknowledged`, "1/s", true, { bound: 0.99 * RATE }), beside["ops_s"]!),
      of(row(`${others}: p99`, "ms", false), beside["p99_us"]! / 1_000),
    ];
  }
}

/** `ClientRoundTrip`: calls of skein's client in this process, one under way. */
export async function* measureRoundTrip(scene: Scene): AsyncGenerator<Sample[]> {
  await using skein = await startSkein(scene);
  const { target: { addresses }, sizes } = skein;
  await using client = await connectTopics(addresses);
  await client.createTopic("client");
  await using producer = client.producer({ lingerMs: 0 });
  const value = "0123456789".repeat(10);
  const calls: readonly (readonly [name: string, call: () => Promise<unknown>, goals: Goal[]])[] = [
    ["list topics", () => client.listTopics(), [{ bound: 1_000 }]],
    ["send 100 B", () => producer.send("client", { value }), [{ bound: 2_000 }]],
  ];
  for (let run = 0; run < sizes.runs; run++) {
    for (const [name, call, goals] of calls) {
      const times = await timesOf(call, sizes.requestsMs);
      yield [
        of(row(`${name}: p50`, "us", false, ...goals), quantile(times, 0.5)),
        of(row(`${name}: p99`, "us", false), quantile(times, 0.99)),
      ];
    }
  }
}

/** Microseconds of each call, least first, half of them after as much time without a look. */
async function timesOf(call: () => Promise<unknown>, ms: number): Promise<number[]> {
  const times: number[] = [];
  const began = performance.now();
  for (let now = began; now < began + 2 * ms; now = performance.now()) {
    await call();
    if (now > began + ms) times.push((performance.now() - now) * 1_000);
  }
  return times.sort((a, b) => a - b);
}

function of(row: Row, value: number): Sample {
  return { row, who: "skein", value };
}

/** One fresh server of skein. */
async function startSkein(scene: Scene) {
  const { load, peers, sizes } = scene;
  const side = await startSide(scene, peers.filter(({ who }) => who === "skein"), 1);
  const [servers] = side.all;
  if (servers === undefined) throw new Error("This needs skein among --peers");
  return {
    load,
    sizes,
    target: servers.target,
    [Symbol.asyncDispose]: () => side[Symbol.asyncDispose](),
  };
}
