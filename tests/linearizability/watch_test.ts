/**
 * Watches of real servers while their leaders are killed: each tells the changes of its tree, in order, none missing, none twice.
 *
 * `SKEIN_WATCH_SECONDS=n` and `SKEIN_WATCH_RATE=n` make it that long, with so many writes a second.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type KvChange, KvClient, type KvWatch } from "../../client/mod.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];

const SECONDS = Number(Deno.env.get("SKEIN_WATCH_SECONDS") ?? 6);
const RATE = Number(Deno.env.get("SKEIN_WATCH_RATE") ?? 2_000);
const WATCHERS = 50;
const BRANCHES = 5;
/** How often the writer writes, in milliseconds. */
const BEAT_MS = 50;
/** Most writes under way: half a second of them. What servers do not take in time is not asked for. */
const MAX_UNDER_WAY = RATE / 2;
/**
 * By hand servers keep as much of the log as they do unless they are told. With the few entries of other campaigns one that is a
 * fifth of a second late gets a snapshot, and cannot tell its watches what was before.
 */
const CONFIGURATION = Deno.env.has("SKEIN_WATCH_RATE") ? {} : undefined;
/** Everything has to be told so long after the last write, in milliseconds. */
const END_LIMIT_MS = 60_000;

const LEAVES = Array.from(
  { length: BRANCHES * BRANCHES },
  (_, i) => `t^${i % BRANCHES}^${Math.floor(i / BRANCHES)}`,
);

/** The trees that are watched: all, branches and leaves, each of them by several. */
const TREES = Array.from({ length: WATCHERS }, (_, i) => {
  if (i % 10 === 0) return "t";
  return i % 2 === 0 ? `t^${i % BRANCHES}` : LEAVES[i % LEAVES.length] as string;
});

/** A change, as far as it is compared. */
type Told = readonly [rev: number, key: string, value: unknown];

Deno.test("each of fifty watches tells the changes of its tree while the leader is killed twice", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein-watch-" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder, CONFIGURATION);
    const addresses = cluster.servers.map(({ place }) => `${place.hostname}:${place.port}`);
    await using writer = await connect(addresses);
    await using clients = new AsyncDisposableStack();
    const watches = await Promise.all(TREES.map(async (tree, i) => {
      const client = clients.use(await connect(rotated(addresses, i)));
      return await client.watch(`^${tree}`, { tree: true });
    }));
    const reading = watches.map((watch, i) => readToEnd(watch, TREES[i] as string));
    const [acknowledged] = await Promise.all([
      write(writer),
      killLeaders(cluster),
    ]);
    for (const leaf of LEAVES) await surely(() => writer.set(`^${leaf}`, "end"));
    const streams = await inTime(Promise.all(reading));
    const all = streams[0] as Told[];
    const revs = all.map(([rev]) => rev);
    assert.deepEqual(revs, Array.from(revs, (_, i) => i + 1), "a revision is missing or twice");
    for (const [rev, key, value] of acknowledged) assert.deepEqual(all[rev - 1], [rev, key, value]);
    for (const [i, stream] of streams.entries()) {
      const tree = TREES[i] as string;
      const end = stream.at(-1)?.[0] ?? 0;
      const wanted = all.filter(([rev, key]) => rev <= end && isIn(tree, key));
      assert.deepEqual(stream, wanted, `watch ${i} of ${tree}`);
    }
    assert.equal(cluster.kills, 2);
    assert.ok(acknowledged.length > SECONDS * RATE / 10, `${acknowledged.length} were written`);
    const rate = Math.round(acknowledged.length / SECONDS);
    const told = streams.reduce((sum, { length }) => sum + length, 0);
    console.log(
      `  ${RATE} writes a second asked for, ${rate} acknowledged; ${all.length} changes, told ${told} times`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function connect(addresses: readonly string[]): Promise<KvClient> {
  return KvClient.connect({
    address: addresses.join(","),
    reconnect: { minDelayMs: 50, maxDelayMs: 500 },
    timeoutMs: 5_000,
  });
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length] as T);
}

function isIn(tree: string, key: string): boolean {
  return key === tree || key.startsWith(`${tree}^`);
}

/** All that a watch tells, up to the last value of each leaf of its tree. */
async function readToEnd(watch: KvWatch, tree: string): Promise<Told[]> {
  const told: Told[] = [];
  const open = new Set(LEAVES.filter((leaf) => isIn(tree, leaf)));
  for await (const change of watch) {
    const { kind } = change;
    assert.equal(kind, "set");
    const { rev, key, value } = change as Extract<KvChange, { kind: "set" }>;
    told.push([rev, key, value]);
    if (value === "end") open.delete(key);
    if (open.size === 0) break;
  }
  return told;
}

/** Writes for a while; returns what was acknowledged. */
async function write(client: KvClient): Promise<Told[]> {
  const acknowledged: Told[] = [];
  const end = performance.now() + SECONDS * 1_000;
  const running = new Set<Promise<void>>();
  for (let count = 0; performance.now() < end;) {
    for (let i = 0; i < RATE * BEAT_MS / 1_000 && running.size < MAX_UNDER_WAY; i++, count++) {
      const key = LEAVES[count * 7 % LEAVES.length] as string;
      const value = count;
      const done = client.set(`^${key}`, value, { timeoutMs: 5_000 }).then(({ rev }) => {
        acknowledged.push([rev, key, value]);
      }, () => {
        // Nobody led, or nobody knows.
      }).finally(() => running.delete(done));
      running.add(done);
    }
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
  await Promise.all(running);
  return acknowledged;
}

async function killLeaders(cluster: Cluster): Promise<void> {
  for (let kill = 0; kill < 2; kill++) {
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000 / 5));
    const leader = await surely(async () => {
      const found = await cluster.leader();
      assert.ok(found !== undefined);
      return found;
    }) as Server;
    await cluster.kill(leader);
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000 / 10));
    await cluster.start(leader);
  }
}

/** Tries until it is done. */
async function surely<T>(action: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + END_LIMIT_MS;;) {
    try {
      return await action();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("Not all was told in time")), END_LIMIT_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
