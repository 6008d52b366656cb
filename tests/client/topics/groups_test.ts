/**
 * Members of a group at a scripted server: what they read, hand over, lose and commit.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type ConsumerOptions,
  TopicClient,
  type TopicConsumer,
  type TopicMessage,
} from "../../../client/mod.ts";
import { CODE } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import { fill, offsetsOf, range } from "../../support/topics/fill_model.ts";
import { type ScriptedTopics, serveTopics } from "../../support/topics/scripted_server.ts";

const HOST = loopback();

/** Heartbeats come three times a second. */
const QUICK: ConsumerOptions = { group: "g", sessionTimeoutMs: 1_000, autoCommitMs: 50 };

function connect(server: ScriptedTopics): Promise<TopicClient> {
  return TopicClient.connect({
    address: server.address,
    name: "tester",
    retry: { minDelayMs: 1, maxDelayMs: 10 },
  });
}

const committed = (server: ScriptedTopics, partition: number): number | undefined =>
  server.model.groups.group("g").committed.get(`t ${partition}`)?.offset;

/** Reads in the background until it is closed. */
function reading(consumer: TopicConsumer, into: TopicMessage[]): Promise<void> {
  return (async () => {
    for await (const message of consumer) into.push(message);
  })();
}

Deno.test("members share the partitions, hand them over with what was done, and each message is read once", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 6);
  for (const partition of range(0, 6)) fill(server.model, "t", partition, 50);
  await using client = await connect(server);
  const seen: TopicMessage[] = [];
  const consumers: TopicConsumer[] = [];
  const loops: Promise<void>[] = [];
  for (let i = 0; i < 3; i++) {
    // What is not committed when it is handed over is read again.
    const options = { ...QUICK, autoCommitMs: 60_000, maxBytes: 200, maxWaitMs: 10 };
    const consumer = client.consumer("t", options);
    consumers.push(consumer);
    loops.push(reading(consumer, seen));
    const share = 6 / (i + 1);
    await until(() => consumers.every(({ assignment }) => assignment.length === share));
    const all = consumers.flatMap(({ assignment }) => assignment).sort();
    assert.deepEqual(all, range(0, 6));
    for (const partition of range(0, 6)) fill(server.model, "t", partition, 50);
  }
  const members = [...server.model.groups.group("g").members.values()];
  assert.deepEqual(members.map(({ client }) => client), ["tester", "tester", "tester"]);
  await until(() => seen.length >= 6 * 200);
  // It leaves, and the others have what was its with their next heartbeat.
  await consumers[0]?.close();
  await until(() => consumers.slice(1).every(({ assignment }) => assignment.length === 3));
  for (const partition of range(0, 6)) fill(server.model, "t", partition, 50);
  await until(() => seen.length >= 6 * 250);
  for (const consumer of consumers) await consumer.close();
  await Promise.all(loops);
  for (const partition of range(0, 6)) {
    const own = seen.filter((one) => one.partition === partition);
    assert.deepEqual(offsetsOf(own).sort((a, b) => a - b), range(0, 250));
  }
  assert.equal(server.model.groups.group("g").members.size, 0);
});

Deno.test("a program is told what comes and goes, seeks in what it gets and commits for what it gives", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  for (const partition of [0, 1]) fill(server.model, "t", partition, 10);
  await using client = await connect(server);
  const told: string[] = [];
  await using first: TopicConsumer = client.consumer("t", {
    ...QUICK,
    autoCommitMs: 0,
    maxWaitMs: 10,
    async onAssigned(partitions) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const partition of partitions) await first.seek(partition, 5);
      told.push(`+${partitions}`);
    },
    async onRevoked(partitions, areLost) {
      told.push(`${areLost ? "lost " : "-"}${partitions}`);
      if (!areLost) await first.commit();
    },
  });
  assert.deepEqual(first.assignment, []);
  const messages: TopicMessage[] = [];
  while (messages.length < 10) messages.push(...await first.fetch());
  assert.deepEqual(offsetsOf(messages).sort((a, b) => a - b), [5, 5, 6, 6, 7, 7, 8, 8, 9, 9]);
  assert.deepEqual(first.assignment, [0, 1]);
  // It is at the last of them until it asks for more.
  await using second = client.consumer("t", { ...QUICK, autoCommitMs: 0, maxWaitMs: 10 });
  assert.equal(await second.fetchOne({ timeoutMs: 500 }), undefined);
  assert.equal(await first.fetchOne({ timeoutMs: 10 }), undefined);
  await until(() => second.assignment.length === 1);
  assert.deepEqual(told, ["+0,1", "-1"]);
  assert.deepEqual([committed(server, 0), committed(server, 1)], [10, 10]);
  assert.equal(await second.position(1), 10);
  const notHeld = { reason: "REBALANCE_IN_PROGRESS", message: /does not hold partition/ };
  await assert.rejects(first.position(1), notHeld);
  await assert.rejects(first.seek(1, 0), notHeld);
  await assert.rejects(second.seekToEnd(0), notHeld);
  await first.seekToBeginning();
  assert.equal((await first.fetchOne())?.partition, 0);
  server.model.groups.leave({
    group: "g",
    member: [...server.model.groups.group("g").members.keys()][0]!,
  });
  await until(() => told.includes("lost 0"));
  await until(() => told.length === 4);
});

Deno.test("who is told of its first partitions seeks in all of them at once", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  for (const partition of [0, 1]) fill(server.model, "t", partition, 10);
  await using client = await connect(server);
  await using consumer: TopicConsumer = client.consumer("t", {
    ...QUICK,
    timeoutMs: 2_000,
    maxWaitMs: 10,
    onAssigned: () => consumer.seekToEnd(),
  });
  assert.equal(await consumer.fetchOne({ timeoutMs: 1_000 }), undefined);
  fill(server.model, "t", 0, 1);
  assert.equal((await consumer.fetchOne())?.offset, 10);
});

Deno.test("what a callback throws comes to who reads, and nothing ends by it", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 1);
  await using client = await connect(server);
  await using consumer = client.consumer("t", {
    ...QUICK,
    onAssigned: () => Promise.reject(new Error("No room")),
  });
  await assert.rejects(consumer.fetchOne(), { message: "No room" });
  assert.equal((await consumer.fetchOne())?.offset, 0);
});

Deno.test("a member that was removed commits nothing more of what it had, and joins anew by itself", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 10);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { ...QUICK, autoCommitMs: 0, maxWaitMs: 10 });
  for (let i = 0; i < 5; i++) await consumer.fetchOne();
  const { groups } = server.model;
  const [id = ""] = [...groups.group("g").members.keys()];
  groups.leave({ group: "g", member: id });
  // Another member has gone on meanwhile, and is gone.
  groups.group("g").committed.set("t 0", { topic: "t", partition: 0, offset: 8, metadata: "" });
  await assert.rejects(consumer.commit(), { reason: "UNKNOWN_MEMBER" });
  await until(() => groups.group("g").members.size === 1);
  assert.equal(committed(server, 0), 8);
  assert.equal((await consumer.fetchOne())?.offset, 8);
  await consumer.commit();
  assert.equal(committed(server, 0), 9);
});

Deno.test("while servers hear nothing of a member for its session, it delivers nothing", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 10);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { ...QUICK, autoCommitMs: 0, maxWaitMs: 10 });
  assert.equal((await consumer.fetchOne())?.offset, 0);
  server.script = ({ kind }) => kind === "heartbeat";
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(await consumer.fetchOne({ timeoutMs: 50 }), undefined);
  server.script = () => false;
  assert.equal((await consumer.fetchOne())?.offset, 1);
});

Deno.test("who reads partitions of its own choice is no member, and cannot commit while there are some", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  fill(server.model, "t", 1, 3);
  await using client = await connect(server);
  await using own = client.consumer("t", { ...QUICK, autoCommitMs: 0, partitions: [1] });
  assert.equal((await own.fetchOne())?.offset, 0);
  assert.deepEqual(own.assignment, [1]);
  await own.commit();
  assert.equal(committed(server, 1), 1);
  assert.ok(!server.received.some(({ kind }) => kind === "joinGroup"));
  await using member = client.consumer("t", { ...QUICK, autoCommitMs: 0, maxWaitMs: 10 });
  assert.equal(await member.position(1), 1);
  await own.fetchOne();
  await assert.rejects(own.commit(), { reason: "UNKNOWN_MEMBER" });
});

Deno.test("times of a member that are none are refused", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect(server);
  for (const wrong of [999, 3_600_001, 1_500.5]) {
    for (const name of ["sessionTimeoutMs", "rebalanceTimeoutMs"]) {
      assert.throws(() => client.consumer("t", { group: "g", [name]: wrong }), RangeError);
    }
  }
  assert.throws(() => client.consumer("t", { onRevoked: 5 as never }), TypeError);
});

Deno.test("a topic that was deleted and made anew is read from its beginning, whatever offset was next", async () => {
  for (const group of [undefined, "g"]) {
    for (const onOutOfRange of ["earliest", "error"] as const) {
      await using server = serveTopics(HOST);
      server.model.create("t", 2);
      for (const partition of [0, 1]) fill(server.model, "t", partition, 10);
      await using client = await connect(server);
      await using consumer = client.consumer("t", {
        maxWaitMs: 20,
        onOutOfRange,
        autoCommitMs: 0,
        ...group !== undefined && { ...QUICK, autoCommitMs: 0 },
      });
      for (let i = 0; i < 20; i++) await consumer.fetchOne();
      server.model.topics.delete("t");
      server.model.groups.groups.get("g")?.committed.clear();
      server.model.create("t", 2);
      // As many as there were are not enough to be taken for the same.
      for (const partition of [0, 1]) fill(server.model, "t", partition, 9);
      const seen: TopicMessage[] = [];
      let refusals = 0;
      while (seen.length < 18) {
        await consumer.fetch().then((some) => seen.push(...some), (error) => {
          assert.equal(error.code, CODE.OFFSET_OUT_OF_RANGE);
          refusals++;
        });
      }
      const sorted = offsetsOf(seen).sort((a, b) => a - b);
      assert.deepEqual(sorted, range(0, 9).flatMap((one) => [one, one]));
      assert.equal(refusals, onOutOfRange === "error" ? 2 : 0);
    }
  }
});

Deno.test("what a member is given of a topic that was made anew is read once", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 10);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { ...QUICK, maxWaitMs: 20, onOutOfRange: "error" });
  for (let i = 0; i < 10; i++) await consumer.fetchOne();
  assert.equal(await consumer.fetchOne({ timeoutMs: 10 }), undefined);
  server.model.topics.delete("t");
  server.model.groups.retarget("g");
  const { members, committed } = server.model.groups.group("g");
  await until(() => [...members.values()].every(({ owned }) => owned.size === 0));
  committed.clear();
  server.model.create("t", 1);
  fill(server.model, "t", 0, 9);
  server.model.groups.retarget("g");
  const seen: TopicMessage[] = [];
  while (seen.length < 9) seen.push(...await consumer.fetch());
  // It is looked every 5 s whether the topic is still the same.
  const looks = () => server.received.filter(({ kind }) => kind === "metadata").length;
  const before = looks();
  while (looks() === before) seen.push(...await consumer.fetch({ timeoutMs: 100 }));
  seen.push(...await consumer.fetch({ timeoutMs: 100 }));
  assert.deepEqual(offsetsOf(seen), range(0, 9));
});

Deno.test("a topic that was made anew with another number of partitions is read as a whole", async () => {
  for (const count of [1, 3]) {
    await using server = serveTopics(HOST);
    server.model.create("t", 2);
    for (const partition of [0, 1]) fill(server.model, "t", partition, 3);
    await using client = await connect(server);
    await using consumer = client.consumer("t", { maxWaitMs: 20 });
    for (let i = 0; i < 6; i++) await consumer.fetchOne();
    server.model.topics.delete("t");
    server.model.create("t", count);
    for (const partition of range(0, count)) fill(server.model, "t", partition, 2);
    const seen: TopicMessage[] = [];
    while (seen.length < 2 * count) seen.push(...await consumer.fetch());
    assert.equal(new Set(seen.map(({ partition }) => partition)).size, count);
    assert.deepEqual(consumer.assignment, range(0, count));
  }
});
