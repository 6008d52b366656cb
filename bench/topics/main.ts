/**
 * What topics cost, beside the goals for it, and beside NATS JetStream and Redis Streams: all run on this machine in the same
 * minutes, at equal durability, and are measured in turn by one load program.
 *
 * `deno task bench:topics [--quick] [--runs 3] [--only encode,decode] [--peers skein,redis,nats] [--seconds 60] [--dir FOLDER] [--out FOLDER]`
 *
 * `--seconds` is for how long the throughput is to be sustained, 10 by itself.
 *
 * Needs Linux and Go, which builds the load program. `redis-server` and `nats-server` are those on PATH, or `SKEIN_REDIS` and
 * `SKEIN_NATS`; who is missing is skipped. Data go below `--dir`, by default the folder for temporary files, which has to be
 * on a disk. A whole run writes its result to `bench/results/topics.json`, any other one only where `--out` says. `deno task
 * bench:pages` then puts it into the page.
 *
 * @module
 */

import { runBenchmark } from "../state/benchmark.ts";
import type { Sample } from "../state/figures.ts";
import type { Scene } from "../state/scene.ts";
import { measureDecode, measureEncode } from "./codec.ts";
import { natsPeer, streamsPeer, topicsPeer } from "./peers.ts";
import { measureConnections, measureLatency, measureRoundTrip, measureThroughput } from "./port.ts";
import { measureMessages, measureStart } from "./requests.ts";

await runBenchmark({
  task: "bench:topics",
  parts: {
    encode: ["Encode", repeated(measureEncode)],
    decode: ["Decode", repeated(measureDecode)],
    latency: ["ServerRequestLatency", measureLatency],
    "round-trip": ["ClientRoundTrip", measureRoundTrip],
    connections: ["ConcurrentConnections", measureConnections],
    throughput: ["SustainedThroughput", measureThroughput],
    one: ["Produce and fetch, one server", (scene) => measureMessages(scene, 1)],
    three: ["Produce and fetch, three servers", (scene) => measureMessages(scene, 3)],
    start: ["Start anew", measureStart],
  },
  finders: {
    skein: [() => topicsPeer, ""],
    redis: [streamsPeer, "apt install redis-server, or name one with SKEIN_REDIS"],
    nats: [natsPeer, "https://nats.io/download/, or name one with SKEIN_NATS"],
  },
  files: (result) => ({ "topics.json": JSON.stringify(result, null, 2) + "\n" }),
});

/** What needs no server, as often as everything is measured; it has many figures, and each needs little time. */
function repeated(measure: (ms: number) => Sample[]) {
  return async function* ({ sizes: { runs, requestsMs } }: Scene): AsyncGenerator<Sample[]> {
    for (let run = 0; run < runs; run++) yield measure(requestsMs / 4);
  };
}
