import assert from "node:assert/strict";
import { incrementCommand, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import { dump } from "../../../../cluster/machine/mod.ts";
import { Replicas, type Server } from "../../../support/replica/replicas.ts";

const IDS = ["a", "b", "c"];

function hashOf({ store, replica }: Server): string {
  const blocks = dump(store);
  let next = blocks.next();
  while (!next.done) next = blocks.next();
  assert.equal(next.value.index, replica.machine.context.index);
  return next.value.hash;
}

async function allEqual(cluster: Replicas): Promise<void> {
  const servers = [...cluster.servers.values()];
  const applied = () => new Set(servers.map(({ replica }) => replica.status.appliedIndex));
  await cluster.clock.until(() => applied().size === 1, 10_000, "equal logs");
  assert.equal(new Set(servers.map(hashOf)).size, 1);
}

Deno.test("a lone server leads at once, and keeps what it was told over a restart", async () => {
  const cluster = await Replicas.found(["a"]);
  assert.equal((await cluster.set("a", "foo", "bar")).ok, true);
  assert.equal(await cluster.get("a", "foo"), '"bar"');
  cluster.close();
  await cluster.start("a");
  assert.equal(await cluster.get("a", "foo"), '"bar"');
  cluster.close();
});

Deno.test("every server answers writes and reads, whoever leads", async () => {
  const cluster = await Replicas.found(IDS);
  await cluster.leader();
  for (const id of IDS) {
    const result = await cluster.set(id, `key of ${id}`, id);
    assert.equal(result.ok && new TextDecoder().decode(result.body), '"OK"');
    for (const other of IDS) assert.equal(await cluster.get(other, `key of ${id}`), `"${id}"`);
  }
  assert.equal(await cluster.get("b", "missing"), "KEY_NOT_FOUND");
  await allEqual(cluster);
  cluster.close();
});

Deno.test("commands of one turn make one write", async () => {
  const cluster = await Replicas.found(["a"]);
  await cluster.leader();
  await cluster.set("a", "first", 1);
  const { groups } = cluster.at("a").disk;
  await Promise.all(Array.from({ length: 100 }, (_, i) => cluster.set("a", `k${i}`, i)));
  assert.equal(cluster.at("a").disk.groups, groups + 1);
  cluster.close();
});

Deno.test("entries leave for the others before the own disk gets them", async () => {
  const cluster = await Replicas.found(IDS);
  const { id, disk } = await cluster.leader();
  await cluster.set(id, "first", 1);
  const order: string[] = [];
  cluster.onFlush = (from) => void (from === id && order.push("sent"));
  disk.onWrite = () => void order.push("written");
  await cluster.set(id, "second", 2);
  assert.deepEqual(order, ["sent", "written"]);
  cluster.close();
});

Deno.test("who has no majority answers neither writes nor reads, but stale ones", async () => {
  const cluster = await Replicas.found(IDS);
  const { id } = await cluster.leader();
  await cluster.set(id, "foo", 1);
  cluster.cut(id);
  const cutAt = cluster.clock.now();
  // Nobody follows it, which it does not know yet.
  await cluster.clock.advance(300);
  assert.equal(cluster.at(id).replica.status.role, "leader");
  const unaware = await cluster.answer(id, "foo", "stale");
  assert.ok(unaware.lagMs >= 300 && unaware.lagMs < 1_300, `${unaware.lagMs} ms`);
  const write = cluster.set(id, "foo", 2);
  const read = cluster.get(id, "foo");
  assert.equal((await write as { reason?: string }).reason, "OUTCOME_UNKNOWN");
  assert.equal(await read, "NO_LEADER");
  assert.equal(await cluster.get(id, "foo", "stale"), "1");
  // A majority followed it for the last time about when it was cut off.
  const { lagMs } = await cluster.answer(id, "foo", "stale");
  const awayMs = cluster.clock.now() - cutAt;
  assert.ok(lagMs >= awayMs && lagMs < awayMs + 1_000, `${lagMs} ms of ${awayMs}`);
  // It knows by now that it leads nobody: nothing of this is taken on.
  assert.equal((await cluster.set(id, "foo", 3) as { reason?: string }).reason, "NO_LEADER");
  const next = await cluster.leader();
  assert.equal(await cluster.get(next.id, "foo"), "1");
  await cluster.set(next.id, "foo", 4);
  cluster.cut(id, false);
  assert.equal(await cluster.get(id, "foo"), "4");
  await allEqual(cluster);
  cluster.close();
});

Deno.test("requests that come before there is a leader wait for it", async () => {
  const cluster = await Replicas.found(IDS);
  const results = await Promise.all(IDS.map((id) => cluster.set(id, id, id)));
  assert.ok(results.every(({ ok }) => ok));
  cluster.close();
});

Deno.test("a command whose answer is lost is done once, and its outcome unknown", async () => {
  const cluster = await Replicas.found(IDS);
  const follower = await cluster.follower();
  const command = incrementCommand(resolvePath("n") as Uint8Array, 1);
  const answer = cluster.propose(follower.id, command);
  await cluster.clock.advance(2);
  cluster.cut(follower.id);
  assert.equal((await answer as { reason?: string }).reason, "OUTCOME_UNKNOWN");
  const leader = await cluster.leader();
  assert.equal(await cluster.get(leader.id, "n"), "1");
  cluster.close();
});

Deno.test("what waits for its commit when the leadership goes is answered with what became of it", async () => {
  const cluster = await Replicas.found(IDS);
  const { id, replica } = await cluster.leader();
  const writes = Promise.all(Array.from({ length: 50 }, (_, i) => cluster.set(id, `k${i}`, i)));
  await cluster.clock.advance(0);
  const handed = replica.transfer();
  const results = await writes;
  assert.ok(results.every(({ ok }) => ok), JSON.stringify(results.find(({ ok }) => !ok)));
  assert.equal(await handed, undefined);
  assert.notEqual((await cluster.leader()).id, id);
  cluster.close();
});

Deno.test("a server that comes late gets a snapshot and the log after it", async () => {
  const cluster = await Replicas.found(IDS, {
    raft: { trailing: 5 },
    snapshotTrigger: { entries: 20, bytes: 2 ** 20, growth: 0 },
  });
  const late = await cluster.follower();
  cluster.cut(late.id);
  const { id, disk } = await cluster.leader();
  for (let i = 0; i < 60; i++) await cluster.set(id, `k${i % 7}`, i);
  assert.ok(disk.state.beforeIndex > 20, `log begins after ${disk.state.beforeIndex}`);
  cluster.cut(late.id, false);
  await cluster.leader();
  await allEqual(cluster);
  assert.match(late.logs.join("\n"), /Takes over a snapshot/);
  // It lasts.
  late.replica.close();
  await cluster.start(late.id);
  await cluster.leader();
  await allEqual(cluster);
  cluster.close();
});

Deno.test("members are added, changed and removed one at a time", async () => {
  const cluster = await Replicas.found(IDS, { raft: { stagingMs: 1_000 } });
  const { id, replica } = await cluster.leader();
  await cluster.set(id, "ready", true);
  await cluster.start("d");
  const change = async (of: Parameters<typeof replica.change>[0], at?: number) => {
    const outcomes: Awaited<ReturnType<typeof replica.change>>[] = [];
    replica.change(of, at).then((outcome) => outcomes.push(outcome));
    await cluster.clock.until(() => outcomes.length > 0, 5_000, "an outcome");
    return outcomes[0];
  };
  const first = replica.change({ kind: "add", id: "d", role: "staging" });
  assert.equal((await change({ kind: "remove", id: "b" }))?.reason, "change-in-progress");
  await cluster.clock.advance(100);
  assert.equal(await first, undefined);
  const roles = () =>
    cluster.at("d").replica.configuration.map(({ id, role }) => `${id} ${role}`).join(", ");
  await cluster.clock.until(
    () => roles() === "a voter, b voter, c voter, d voter",
    5_000,
    "a promotion",
  );
  await cluster.clock.advance(100);
  assert.equal((await change({ kind: "remove", id: "x" }))?.reason, "invalid-change");
  assert.equal((await change({ kind: "remove", id: "b" }, 1))?.reason, "configuration-changed");
  assert.equal(await change({ kind: "remove", id }), undefined);
  cluster.cut(id);
  const next = await cluster.leader();
  assert.equal((await cluster.set(next.id, "after", 1)).ok, true);
  cluster.close();
});

Deno.test("a full disk takes nothing on, hands over, and loses nothing", async () => {
  const cluster = await Replicas.found(IDS);
  const full = await cluster.leader();
  await cluster.set(full.id, "before", 1);
  full.disk.isFull = true;
  const first = await cluster.set(full.id, "n", 1);
  assert.ok(first.ok || first.reason === "OUTCOME_UNKNOWN");
  await cluster.clock.until(() => full.replica.isFull, 5_000, "a full disk");
  await cluster.clock.until(() => full.replica.leaderId !== full.id, 5_000, "another leader");
  assert.equal((await cluster.set(full.id, "forwarded", 2)).ok, true);
  full.disk.isFull = false;
  await cluster.clock.until(() => !full.replica.isFull, 5_000, "room");
  await allEqual(cluster);
  assert.equal(await cluster.get(full.id, "forwarded"), "2");
  cluster.close();
});

Deno.test("a full disk is told once, and a leader that has one hands over as soon as another can lead", async () => {
  const cluster = await Replicas.found(IDS);
  const { id, replica, logs } = await cluster.leader();
  await cluster.set(id, "before", 1);
  for (const { disk } of cluster.servers.values()) disk.isFull = true;
  const write = cluster.set(id, "during", 2, {}, 60_000);
  await cluster.clock.until(() => replica.isFull, 5_000, "a full disk");
  await cluster.clock.advance(5_000);
  assert.equal(replica.leaderId, id, "nobody else could");
  const full = "Disk is full: takes nothing on, and leads no more if another can";
  const told = () => logs.filter((line) => line.startsWith("Disk "));
  assert.deepEqual(told(), [full]);
  for (const other of cluster.servers.values()) other.disk.isFull = other.id === id;
  await cluster.clock.until(() => replica.leaderId !== id, 5_000, "another leader");
  const { ok, reason } = await write as { ok: boolean; reason?: string };
  assert.ok(ok || reason === "OUTCOME_UNKNOWN", reason);
  assert.ok(replica.isFull);
  cluster.at(id).disk.isFull = false;
  await cluster.clock.until(() => !replica.isFull, 5_000, "room");
  await allEqual(cluster);
  assert.deepEqual(told(), [full, "Disk has room again"]);
  cluster.close();
});

Deno.test("a lone server whose disk is full says so, and goes on when there is room", async () => {
  const cluster = await Replicas.found(["a"]);
  await cluster.set("a", "before", 1);
  const { disk, replica } = cluster.at("a");
  disk.isFull = true;
  const first = cluster.set("a", "during", 2, {}, 60_000);
  await cluster.clock.until(() => replica.isFull, 5_000, "a full disk");
  const second = await cluster.set("a", "refused", 3);
  assert.equal((second as { reason?: string }).reason, "STORAGE_FULL");
  disk.isFull = false;
  assert.equal((await first).ok, true, "it was taken on, and is done as soon as there is room");
  assert.equal(await cluster.get("a", "refused"), "KEY_NOT_FOUND");
  cluster.close();
});

Deno.test("a failed write ends the server, and what waits has an answer", async () => {
  const cluster = await Replicas.found(["a"]);
  await cluster.leader();
  const server = cluster.at("a");
  server.disk.write = () => Promise.reject(new Error("The disk is broken"));
  const result = await cluster.set("a", "foo", 1);
  assert.equal((result as { reason?: string }).reason, "OUTCOME_UNKNOWN");
  assert.equal(server.failure?.message, "The disk is broken");
  assert.equal(
    (await cluster.set("a", "foo", 1) as { reason?: string }).reason,
    "SHUTTING_DOWN",
  );
});

Deno.test("nothing is applied while the store has no room", async () => {
  const cluster = await Replicas.found(["a"]);
  await cluster.leader();
  const { store } = cluster.at("a");
  const { promise, resolve } = Promise.withResolvers<void>();
  store.wait = promise;
  const write = cluster.set("a", "foo", 1);
  await cluster.clock.advance(1_000);
  assert.equal(await cluster.get("a", "foo", "stale"), "KEY_NOT_FOUND");
  store.wait = undefined;
  resolve();
  assert.equal((await write).ok, true);
  cluster.close();
});

Deno.test("a server that ends while its disk is full leaves no timer behind", async () => {
  const cluster = await Replicas.found(["a"]);
  await cluster.set("a", "before", 1);
  const { disk, replica } = cluster.at("a");
  disk.isFull = true;
  const write = cluster.set("a", "during", 2);
  await cluster.clock.until(() => replica.isFull, 5_000, "a full disk");
  replica.close();
  assert.equal((await write as { reason?: string }).reason, "OUTCOME_UNKNOWN");
  assert.equal(cluster.clock.pending, 0);
});

Deno.test("a server that was away tells the age of what it has, before it hears a leader as well", async () => {
  const cluster = await Replicas.found(IDS, { raft: { trailing: 1 } });
  const { id } = await cluster.leader();
  for (let i = 0; i < 3; i++) await cluster.set(id, "foo", i);
  await allEqual(cluster);
  const away = await cluster.follower();
  // Its state in memory is lost, and comes from there.
  await away.replica.snapshot();
  cluster.cut(away.id);
  away.replica.close();
  await cluster.clock.advance(60_000);
  await cluster.start(away.id);
  await cluster.clock.advance(100);
  const { lagMs } = await cluster.answer(away.id, "foo", "stale");
  assert.ok(lagMs >= 60_100 && lagMs < 62_000, `${lagMs} ms`);
  cluster.cut(away.id, false);
  await cluster.leader();
  assert.equal(await cluster.get(away.id, "foo"), "2");
  const again = await cluster.answer(away.id, "foo", "stale");
  assert.ok(again.lagMs < 1_000, `${again.lagMs} ms`);
  cluster.close();
});

Deno.test("a large state is not snapshot before the log has grown by its size, also over a restart", async () => {
  const trigger = { entries: 5, bytes: 2 ** 20, growth: 1 };
  const cluster = await Replicas.found(["a"], { snapshotTrigger: trigger });
  await cluster.leader();
  const snapshotIndex = () => cluster.at("a").replica.status.snapshotIndex;
  const write = async (count: number, letters: number) => {
    for (let i = 0; i < count; i++) await cluster.set("a", `k${i}`, "x".repeat(letters));
  };
  await write(10, 10_000);
  await cluster.at("a").replica.snapshot();
  const first = snapshotIndex();
  // Of few bytes each, and of a state of 100,000 bytes.
  for (let life = 0; life < 2; life++) {
    await write(20, 100);
    assert.equal(snapshotIndex(), first);
    await write(6, 7_000);
    assert.equal(snapshotIndex(), first);
    cluster.at("a").replica.close();
    await cluster.start("a");
    await cluster.leader();
  }
  await write(4, 7_000);
  assert.ok(snapshotIndex() > first, `${snapshotIndex()}`);
  cluster.close();
});

Deno.test("who asks for a snapshot hears that it failed; one that was due is tried again", async () => {
  const cluster = await Replicas.found(["a"], {
    snapshotTrigger: { entries: 10, bytes: 2 ** 20, growth: 0 },
  });
  await cluster.leader();
  const { snapshots, replica, logs } = cluster.at("a");
  const { save } = snapshots;
  snapshots.save = () => Promise.reject(new Error("No room for it"));
  await assert.rejects(replica.snapshot(), /No room for it/);
  assert.deepEqual(logs.filter((line) => line.includes("No room")), []);
  for (let i = 0; i < 12; i++) await cluster.set("a", `k${i}`, i);
  assert.match(logs.join("\n"), /Snapshot failed: No room for it/);
  snapshots.save = save;
  for (let i = 0; i < 12; i++) await cluster.set("a", `k${i}`, i);
  assert.ok(replica.status.snapshotIndex > 12);
  cluster.close();
});
