/**
 * Topics are made, told of, changed and deleted.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_LISTED_TOPICS } from "../../../cluster/machine/topics/listing.ts";
import { MAX_TOPICS } from "../../../cluster/machine/topics/mod.ts";
import { MAX_NAMED_TOPICS } from "../../../protocol/topics/limits.ts";
import { loopback } from "../../support/loopback.ts";
import { rawFrame, str, u32 } from "../../support/topics/frames.ts";
import { decodeMessages } from "../../support/topics/messages.ts";
import { fetching, producing } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";
import { fill } from "../../support/topics/fill.ts";

const HOST = loopback();

Deno.test("a topic is made once, and a wrong name or number of partitions is refused", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const create = { topic: "t", partitions: 2, replicationFactor: 0 };
  for (const version of [1, 2]) {
    const topic = `t${version}`;
    const first = await client.done("createTopic", { ...create, topic }, { version });
    assert.deepEqual(first, { topic, created: true });
    const again = await client.done("createTopic", { ...create, topic }, { version });
    assert.deepEqual(again, { topic, created: false });
    assert.equal(await client.refused("createTopic", { ...create, topic, partitions: 3 }), 9);
  }
  for (const partitions of [0, 1_025, 0xffffffff]) {
    assert.equal(await client.refused("createTopic", { ...create, partitions }), 2);
  }
  // There is one server.
  assert.equal(await client.refused("createTopic", { ...create, replicationFactor: 2 }), 2);
  await client.done("createTopic", { ...create, replicationFactor: 1 });
  await client.done("createTopic", { topic: "m", partitions: 1_024, replicationFactor: 1 });
  for (const name of ["", ".", "..", "a/b", "a b", "é", "x".repeat(250), "../../etc/passwd"]) {
    using other = await stage.client();
    await other.send(rawFrame(1, 4, 1, [...str(name), ...u32(1), 0, 1]));
    assert.equal((await other.reply()).code, 2, name);
    await other.send(rawFrame(2, 1, 1, [...str(name), ...u32(0), ...u32(0)]));
    assert.equal((await other.reply()).code, 2, name);
  }
  await client.done("createTopic", { ...create, topic: "x".repeat(249) });
  await client.done("createTopic", { ...create, topic: "A.z_0-" });
});

Deno.test("topics are listed by name, all of them", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const names = Array.from({ length: 2_500 }, (_, i) => `t${(i * 7_919) % 2_500}`);
  for (const topic of names) fill(stage.topics, topic);
  for (const version of [1, 2]) {
    const { topics } = await client.done("listTopics", {}, { version });
    assert.deepEqual(topics.map(({ name }) => name), [...names].sort());
  }
});

Deno.test("a deleted topic is gone, and one of its name begins at 0 with nothing of it", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["old 0", "old 1", "old 2"]));
  assert.deepEqual(await client.done("deleteTopic", { topic: "t" }), { topic: "t", deleted: true });
  assert.equal(await client.refused("deleteTopic", { topic: "t" }), 8);
  assert.equal(await client.refused("fetch", fetching("t", 0)), 8);
  assert.deepEqual((await client.done("listTopics", {})).topics, []);
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 1 });
  const offsets = await client.done("getOffset", { topic: "t", partition: 0 });
  const ends = { start: 0, end: 0, highWaterMark: 0, atTime: -1 };
  assert.deepEqual(offsets, { topic: "t", partition: 0, ...ends });
  assert.equal((await client.done("produce", producing("t", ["new"]))).baseOffset, 0);
  const { messages } = await client.done("fetch", fetching("t", 0));
  const values = decodeMessages(messages.bytes).map(({ value }) => {
    return new TextDecoder().decode(value as Uint8Array);
  });
  assert.deepEqual(values, ["new"]);
});

Deno.test("a topic is described, what is set for it changed, and its first messages deleted", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 2, replicationFactor: 1 });
  await client.done("produce", producing("t", ["a", "b", "c"], { partition: 1 }));
  const described = await client.done("describeTopic", { topic: "t" });
  const bytes = described.partitions[1]?.bytes ?? 0;
  assert.ok(bytes > 90 && bytes < 200, `${bytes} bytes`);
  const settings = {
    retentionMs: 7 * 86_400_000,
    retentionBytes: -1,
    segmentBytes: 64 * 1024 * 1024,
    segmentMs: 3_600_000,
    dedupeMs: 120_000,
  };
  assert.deepEqual(described, {
    topic: "t",
    topicId: 1,
    replicationFactor: 1,
    settings,
    partitions: [{ start: 0, highWaterMark: 0, bytes: 0 }, { start: 0, highWaterMark: 3, bytes }],
  });
  const unchanged = {
    retentionMs: -2,
    retentionBytes: -2,
    segmentBytes: -2,
    segmentMs: -2,
    dedupeMs: -2,
  };
  const some = { ...unchanged, retentionMs: -1, retentionBytes: 1_000_000 };
  const altered = await client.done("alterTopic", { topic: "t", settings: some });
  assert.deepEqual(altered.settings, { ...settings, retentionMs: -1, retentionBytes: 1_000_000 });
  for (const wrong of [{ segmentBytes: 1 }, { segmentMs: -1 }, { retentionMs: 0 }]) {
    const settings = { ...unchanged, ...wrong };
    assert.equal(await client.refused("alterTopic", { topic: "t", settings }), 2);
  }
  assert.equal(await client.refused("alterTopic", { topic: "u", settings: some }), 8);
  assert.equal(await client.refused("describeTopic", { topic: "u" }), 8);

  const records = { topic: "t", partition: 1 };
  assert.deepEqual(await client.done("deleteRecords", { ...records, offset: 2 }), { start: 2 });
  assert.deepEqual(await client.done("deleteRecords", { ...records, offset: 1 }), { start: 2 });
  assert.equal(await client.refused("deleteRecords", { ...records, offset: 4 }), 3);
  assert.deepEqual(await client.done("deleteRecords", { ...records, offset: -1 }), { start: 3 });
  const { start, highWaterMark } = await client.done("getOffset", records);
  assert.deepEqual([start, highWaterMark], [3, 3]);
});

Deno.test("the metadata has servers, the leader and topics, those that are asked for or all", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  stage.topics.others = [{ id: "beta", host: "10.0.0.2", port: 9, role: 1 }];
  await client.done("createTopic", { topic: "b", partitions: 2, replicationFactor: 2 });
  await client.done("produce", producing("a", ["x"]));
  const all = await client.done("metadata", { topics: [] });
  assert.equal(all.leader, "alpha");
  assert.deepEqual(all.servers.map(({ id, host, port }) => [id, host, port]), [
    ["alpha", "127.0.0.1", 1],
    ["beta", "10.0.0.2", 9],
  ]);
  assert.deepEqual(all.topics, [
    { name: "a", topicId: 2, partitions: [{ start: 0, highWaterMark: 1 }] },
    {
      name: "b",
      topicId: 1,
      partitions: [{ start: 0, highWaterMark: 0 }, { start: 0, highWaterMark: 0 }],
    },
  ]);
  const some = await client.done("metadata", { topics: ["b", "nothing", "b"] });
  assert.deepEqual(some.topics.map(({ name }) => name), ["b"]);
});

Deno.test("the metadata of thousands of names costs no more than that of all topics, and that of more is refused", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (const name of ["n7", "n4321", "other"]) fill(stage.topics, name);
  const topics = Array.from({ length: MAX_NAMED_TOPICS }, (_, i) => `n${i}`);
  const before = stage.topics.peeks;
  const found = await client.done("metadata", { topics });
  assert.deepEqual(found.topics.map(({ name }) => name), ["n4321", "n7"]);
  const asked = stage.topics.peeks - before;
  assert.ok(asked < 10, `${asked} questions`);
  const more = MAX_NAMED_TOPICS + 1;
  const names = Array.from({ length: more }, () => str("a")).flat();
  await client.send(rawFrame(1, 0x41, 2, [...u32(more), ...names]));
  assert.equal((await client.reply()).code, 2);
});

Deno.test("others have their turns while many topics are listed", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const count = 3 * MAX_LISTED_TOPICS + 1;
  for (let i = 0; i < count; i++) fill(stage.topics, `t${i}`);
  let turn = 0;
  const turns: number[] = [];
  const peek = stage.topics.peek.bind(stage.topics);
  stage.topics.peek = (question) => {
    turns.push(turn);
    return peek(question);
  };
  const counting = setInterval(() => turn++, 0);
  try {
    const { topics } = await client.done("listTopics", {});
    assert.equal(topics.length, count);
  } finally {
    clearInterval(counting);
  }
  assert.equal(turns.length, 4);
  assert.equal(new Set(turns).size, 4, `pages in turns ${turns}`);
});

Deno.test("there are so many topics and no more, which is told by a code of its own", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (let i = 0; i < MAX_TOPICS; i++) fill(stage.topics, `t${i}`);
  const create = { topic: "more", partitions: 1, replicationFactor: 1 };
  assert.equal(await client.refused("createTopic", create), 104);
  assert.equal(await client.refused("produce", producing("more", ["a"])), 104);
  await client.done("produce", producing("t0", ["a"]));
});

Deno.test("a server without a leader or room says that it is not well", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const status = async () => (await client.done("healthCheck", {})).status;
  assert.equal(await status(), "healthy");
  stage.topics.isFull = true;
  assert.equal(await status(), "unhealthy");
  stage.topics.isFull = false;
  stage.topics.leader = undefined;
  assert.equal(await status(), "unhealthy");
});
