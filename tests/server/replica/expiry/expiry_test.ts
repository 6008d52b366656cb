/**
 * Values that expire, on servers in one process whose clocks are moved by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dump } from "../../../../cluster/machine/mod.ts";
import { sweepCommand } from "../../../../cluster/machine/kv/mod.ts";
import { equalBytes } from "../../../../protocol/bytes.ts";
import { Replicas, type Server } from "../../../support/replica/replicas.ts";

const IDS = ["a", "b", "c"];

/** A value may be there so long after it was due, in milliseconds. */
const LATE_MS = 250;

/** What a sweep begins with, from whenever on. */
const SWEEP = sweepCommand().subarray(0, 3);

/** What a server has by itself. */
async function own(cluster: Replicas, id: string, key: string): Promise<string> {
  return await cluster.get(id, key, "stale");
}

/** The stamps of the sweeps in a server's log. */
function sweepsOf({ disk }: Server): number[] {
  return disk.state.entries.filter(({ data }) => equalBytes(data.subarray(0, 3), SWEEP)).map((
    { time },
  ) => time);
}

function hashOf({ store }: Server): string {
  const blocks = dump(store);
  let next = blocks.next();
  while (!next.done) next = blocks.next();
  return next.value.hash;
}

async function set(cluster: Replicas, id: string, key: string, ttlMs: number): Promise<void> {
  const result = await cluster.set(id, key, key, { ttlMs });
  assert.equal(result.ok, true);
}

Deno.test("a value is there until it is due, and gone on all servers at most 250 ms after", async () => {
  const cluster = await Replicas.found(IDS);
  await cluster.leader();
  const start = cluster.clock.now();
  // From any server: the leader's clock counts.
  for (const id of IDS) await set(cluster, id, `of ${id}`, 2_000);
  await set(cluster, "a", "other", 2_020);
  const last = cluster.clock.now();
  for (const id of IDS) {
    const { result } = await cluster.answer(id, "of a", "linearizable");
    const left = result.ok ? result.ttlMs ?? 0 : 0;
    assert.ok(left > 1_900 && left <= 2_000, `${left} ms are left at ${id}`);
  }
  await cluster.clock.advance(start + 2_000 - cluster.clock.now());
  for (const id of IDS) {
    for (const key of IDS) assert.equal(await own(cluster, id, `of ${key}`), `"of ${key}"`);
  }
  await cluster.clock.advance(last - start + 20 + LATE_MS);
  for (const id of IDS) {
    for (const key of [...IDS.map((one) => `of ${one}`), "other"]) {
      assert.equal(await own(cluster, id, key), "KEY_NOT_FOUND");
    }
  }
  const servers = [...cluster.servers.values()];
  assert.equal(new Set(servers.map(hashOf)).size, 1);
  // Nobody sweeps what is not there.
  const { lastIndex } = servers[0]?.replica.status ?? {};
  await cluster.clock.advance(5_000);
  assert.equal(servers[0]?.replica.status.lastIndex, lastIndex);
  cluster.close();
});

Deno.test("a value that is set anew lives as long as it says then", async () => {
  const cluster = await Replicas.found(IDS);
  const { id } = await cluster.leader();
  await set(cluster, id, "again", 500);
  await set(cluster, id, "stays", 500);
  await set(cluster, id, "kept", 500);
  await cluster.clock.advance(400);
  await set(cluster, id, "again", 1_000);
  await cluster.set(id, "stays", 1);
  await cluster.set(id, "kept", 1, { keepTtl: true });
  await cluster.clock.advance(100 + LATE_MS);
  assert.equal(await cluster.get(id, "again"), '"again"');
  assert.equal(await cluster.get(id, "kept"), "KEY_NOT_FOUND");
  await cluster.clock.advance(1_000);
  assert.equal(await cluster.get(id, "again"), "KEY_NOT_FOUND");
  assert.equal(await cluster.get(id, "stays"), "1");
  cluster.close();
});

Deno.test("a leader that dies takes no value with it and leaves none behind", async () => {
  const cluster = await Replicas.found(IDS);
  const { id } = await cluster.leader();
  const start = cluster.clock.now();
  await set(cluster, id, "short", 1_500);
  await set(cluster, id, "long", 20_000);
  cluster.cut(id);
  const next = await cluster.leader();
  assert.notEqual(next.id, id);
  const passed = cluster.clock.now() - start;
  // An election takes longer than the first one lives: it is there as long as nobody leads.
  await cluster.clock.advance(Math.max(0, 1_500 - passed) + LATE_MS + 100);
  assert.equal(await cluster.get(next.id, "short"), "KEY_NOT_FOUND");
  assert.equal(await cluster.get(next.id, "long"), '"long"');
  cluster.cut(id, false);
  await cluster.clock.advance(20_000);
  for (const one of IDS) assert.equal(await own(cluster, one, "long"), "KEY_NOT_FOUND");
  cluster.close();
});

Deno.test("without a leader nothing expires, and afterwards what is due does", async () => {
  const cluster = await Replicas.found(IDS);
  const { id } = await cluster.leader();
  await set(cluster, id, "k", 1_000);
  await cluster.clock.advance(200);
  const others = IDS.filter((one) => one !== id);
  for (const other of others) cluster.cut(other);
  await cluster.clock.advance(10_000);
  for (const one of IDS) assert.equal(await own(cluster, one, "k"), '"k"');
  for (const other of others) cluster.cut(other, false);
  const leader = await cluster.leader();
  await cluster.clock.advance(LATE_MS);
  assert.equal(await cluster.get(leader.id, "k"), "KEY_NOT_FOUND");
  cluster.close();
});

Deno.test("a restart neither ends a life early nor begins it anew", async () => {
  const cluster = await Replicas.found(["a"]);
  await set(cluster, "a", "short", 3_000);
  await set(cluster, "a", "long", 10_000);
  await cluster.clock.advance(2_000);
  cluster.close();
  await cluster.start("a");
  await cluster.clock.advance(500);
  assert.equal(await cluster.get("a", "short"), '"short"');
  cluster.close();
  await cluster.clock.advance(2_000);
  await cluster.start("a");
  await cluster.clock.until(() => cluster.at("a").replica.leaderId === "a", 5_000, "a leader");
  await cluster.clock.advance(LATE_MS);
  assert.equal(await cluster.get("a", "short"), "KEY_NOT_FOUND");
  assert.equal(await cluster.get("a", "long"), '"long"');
  cluster.close();
  await cluster.start("a");
  assert.equal(await cluster.get("a", "short"), "KEY_NOT_FOUND");
  cluster.close();
});

Deno.test("clocks that differ end no life before its time by the stamps of the log", async () => {
  const cluster = await Replicas.found(IDS);
  const first = await cluster.leader();
  const [behind, ahead] = IDS.filter((one) => one !== first.id) as [string, string];
  cluster.clockErrors.set(behind, -7_000);
  cluster.clockErrors.set(ahead, 400);
  await set(cluster, first.id, "k", 2_000);
  const stamp = first.disk.state.entries.at(-1)?.time as number;
  cluster.cut(first.id);
  const next = await cluster.leader();
  await cluster.clock.advance(20_000);
  assert.equal(await cluster.get(next.id, "k"), "KEY_NOT_FOUND");
  const sweeps = sweepsOf(next);
  assert.ok(sweeps.length > 0);
  for (const time of sweeps) assert.ok(time >= stamp + 2_000, `${time} after ${stamp}`);
  cluster.close();
});

Deno.test("a clock that was ahead ends lives early, and holds up what is set until time has caught up", async () => {
  const cluster = await Replicas.found(IDS);
  const { id } = await cluster.leader();
  await set(cluster, id, "before", 5_000);
  cluster.clockErrors.set(id, 10_000);
  await set(cluster, id, "meanwhile", 60_000);
  const ahead = cluster.clock.now() + 10_000;
  await cluster.clock.advance(LATE_MS);
  assert.equal(await cluster.get(id, "before"), "KEY_NOT_FOUND");
  cluster.clockErrors.set(id, 0);
  await set(cluster, id, "after", 1_000);
  await cluster.clock.advance(ahead + 1_000 - cluster.clock.now() - LATE_MS);
  assert.equal(await cluster.get(id, "after"), '"after"');
  await cluster.clock.advance(3 * LATE_MS);
  assert.equal(await cluster.get(id, "after"), "KEY_NOT_FOUND");
  assert.equal(await cluster.get(id, "meanwhile"), '"meanwhile"');
  cluster.close();
});
