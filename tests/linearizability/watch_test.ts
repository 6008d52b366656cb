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
import { Connection, type Place } from "../support/linearizability/connection.ts";
import { startGateway } from "../support/linearizability/real/gateways.ts";
import { run } from "../support/e2e/cli.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];
const gatewayHosts = [loopback(), loopback()];

const SECONDS = Number(Deno.env.get("SKEIN_WATCH_SECONDS") ?? 6);
const RATE = Number(Deno.env.get("SKEIN_WATCH_RATE") ?? 2_000);
const WATCHERS = 50;
const BRANCHES = 5;
const KILLS = 2;
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
  await tellAll(async (cluster, addresses, clients, i) => {
    const client = clients.use(await connect(rotated(addresses, i)));
    return { client, kill: () => leaderOf(cluster) };
  });
});

Deno.test("watches of gateways go on, without their clients' doing, while the servers that they use are killed", async () => {
  let gateways: Promise<Place[]> | undefined;
  await tellAll(async (cluster, _addresses, clients, i) => {
    gateways ??= Promise.all(
      gatewayHosts.map((host) => startGateway(host, cluster.servers, clients)),
    );
    const { hostname, port } = (await gateways)[i % gatewayHosts.length] as Place;
    const client = await KvClient.connect({ address: `${hostname}:${port}`, timeoutMs: 10_000 });
    clients.use(client);
    return { client, kill: () => surely(() => usedOf(cluster)) };
  });
});

Deno.test("the command that watches goes on when its server dies, and when the leader does", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein-watch-" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const addresses = cluster.servers.map(({ place }) => `${place.hostname}:${place.port}`);
    await using writer = await connect(addresses);
    const count = 300;
    const args = ["kv", "watch", `-kv-addr=${addresses}`, "-tree", "-format=json"];
    const watching = run([...args, `-count=${count}`, "^c"], { limitMs: END_LIMIT_MS });
    const writeSome = async (from: number): Promise<void> => {
      for (let i = from; i < from + count / 3; i++) await surely(() => writer.set(`^c^${i}`, i));
    };
    const used = await surely(() => usedOf(cluster));
    await writeSome(0);
    await cluster.kill(used);
    await writeSome(count / 3);
    await cluster.start(used);
    await cluster.kill(await leaderOf(cluster));
    await writeSome(2 * count / 3);
    const { code, stdout, stderr } = await watching;
    assert.deepEqual([code, cluster.kills], [0, 2], stderr);
    const told = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).rev);
    assert.deepEqual(told, Array.from({ length: count }, (_, i) => i + 1), "missing or twice");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Where a watch is, and which server is killed next. */
interface Stand {
  readonly client: KvClient;
  readonly kill: () => Promise<Server>;
}

/** Watches while somebody writes and servers are killed, and compares what was told. */
async function tellAll(
  standOf: (
    cluster: Cluster,
    addresses: readonly string[],
    clients: AsyncDisposableStack,
    i: number,
  ) => Promise<Stand>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-watch-" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder, CONFIGURATION);
    const addresses = cluster.servers.map(({ place }) => `${place.hostname}:${place.port}`);
    await using writer = await connect(addresses);
    await using clients = new AsyncDisposableStack();
    const stands = await Promise.all(
      TREES.map((_, i) => standOf(cluster, addresses, clients, i)),
    );
    const watches = await Promise.all(
      stands.map(({ client }, i) => client.watch(`^${TREES[i]}`, { tree: true })),
    );
    const reading = watches.map((watch, i) => readToEnd(watch, TREES[i] as string));
    const [acknowledged] = await Promise.all([
      write(writer),
      killServers(cluster, (stands[0] as Stand).kill),
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
    assert.equal(cluster.kills, KILLS);
    assert.ok(acknowledged.length > SECONDS * RATE / 10, `${acknowledged.length} were written`);
    const rate = Math.round(acknowledged.length / SECONDS);
    const told = streams.reduce((sum, { length }) => sum + length, 0);
    console.log(
      `  ${RATE} writes a second asked for, ${rate} acknowledged; ${all.length} changes, told ${told} times`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

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

async function killServers(cluster: Cluster, next: () => Promise<Server>): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000 / 5));
    const server = await next();
    await cluster.kill(server);
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000 / 10));
    await cluster.start(server);
  }
}

function leaderOf(cluster: Cluster): Promise<Server> {
  return surely(async () => {
    const found = await cluster.leader();
    assert.ok(found !== undefined);
    return found;
  });
}

/** A server where gateways fetch what their clients watch: nobody else watches there. */
async function usedOf(cluster: Cluster): Promise<Server> {
  for (const server of cluster.servers) {
    using connection = new Connection();
    if (!await connection.open(server.place)) continue;
    const reply = await connection.ask({ action: "INFO", section: "watches" });
    const { watches } = reply?.result as { watches?: { watches: number } } ?? {};
    if ((watches?.watches ?? 0) > 0) return server;
  }
  throw new Error("No server is used");
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
