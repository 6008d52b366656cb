/**
 * `deno task bench:topics` on its smallest scale: the figures are there, wrong options are told, and nothing is left behind.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Ground } from "../../bench/state/ground.ts";
import { Load } from "../../bench/state/load.ts";
import type { StateResult } from "../../bench/state/result.ts";
import { judgedTest } from "../support/linearizability/judge.ts";
import { oneServer } from "../support/sessions/server.ts";

const PROGRAM = join(import.meta.dirname ?? ".", "..", "..", "bench", "topics", "main.ts");

/** All that takes no very long time. */
const PARTS = ["encode", "decode", "latency", "round-trip", "connections", "throughput", "one"];

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", PROGRAM, ...args] });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

judgedTest("a small run of skein's topics alone fills every row", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_bench_" });
  try {
    const dir = join(folder, "dir");
    await Deno.mkdir(dir);
    const out = join(folder, "out");
    const { code, err } = await run(
      "--quick",
      `--only=${PARTS}`,
      "--peers=skein",
      `--dir=${dir}`,
      `--out=${out}`,
    );
    assert.equal(code, 0, err);
    const result: StateResult = JSON.parse(await Deno.readTextFile(join(out, "topics.json")));
    assert.deepEqual(result.parts.map(({ name }) => name), PARTS);
    const titles = ["Encode", "Decode", "ServerRequestLatency", "ClientRoundTrip"];
    const [...found] = result.parts.map(({ title }) => title);
    assert.deepEqual(found.slice(0, 4), titles);
    assert.deepEqual(found.slice(4, 6), ["ConcurrentConnections", "SustainedThroughput"]);
    const rows = result.parts.flatMap(({ rows }) => rows);
    assert.equal(rows.length, 30);
    for (const { name, spreads: { skein } } of rows) {
      // So little work may be none that is counted.
      assert.ok(skein !== undefined && (skein.median > 0 || /CPU|memory/.test(name)), name);
    }
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("parts, peers and runs of the benchmark of topics that make no sense are told", async () => {
  for (
    const [flag, text] of [
      ["--only=nothing", "--only knows encode, decode, "],
      ["--peers=etcd", "--peers knows skein, redis, nats, not 'etcd'"],
      ["--runs=0", "--runs must be a whole number over 0, not '0'"],
    ] as const
  ) {
    const { code, out, err } = await run(flag);
    assert.deepEqual([code, out], [1, ""]);
    assert.ok(err.startsWith(text), err);
  }
});

judgedTest(
  "the load program speaks the wire of topics, and fails where there can be no topic",
  async () => {
    await using ground = await Ground.make();
    const load = await Load.build(ground);
    await using server = await oneServer();
    const addresses = [server.agent.state?.addresses.topicsAddr ?? ""];
    const target = { kind: "topics", addresses, pids: [Deno.pid] } as const;
    const flags = { time: "100ms", "warm-up": "20ms", clients: 2, depth: 10 };
    for (const measure of ["set", "get", "batches", "set-pipelined", "get-pipelined"]) {
      const found = await load.run(target, measure, flags);
      assert.ok(found["ops"]! > 5, measure);
      assert.ok(found["p50_us"]! > 0 && found["p99_us"]! >= found["p50_us"]!, measure);
    }
    const read = await load.run(target, "read", { ...flags, keys: 2_500, topic: "read" });
    assert.equal(read["ops"]! % 2_500, 0);
    assert.ok(read["mib_s"]! > 0);
    assert.ok((await load.run(target, "idle", { clients: 20, time: "10ms" }))["ms"]! > 0);
    const late = { ...flags, topic: "no topic", limit: "300ms" };
    await assert.rejects(load.run(target, "set", late), /set of topics: not done within 300ms/);
  },
);
