/**
 * Messages with ids, at a port and at servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient } from "../../../client/mod.ts";
import { ID_HEADER, VERSION } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { folder, leaderOf, threeServers } from "../../support/replica/agents.ts";
import { messageOf, type TestMessage } from "../../support/topics/messages.ts";
import { utf8 } from "../../support/topics/answers.ts";
import { producing, RawTopics } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

const withId = (id: string): TestMessage => messageOf(id, { headers: [[ID_HEADER, utf8(id)]] });

Deno.test("the port says which messages were there before, the first version only how many were not", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const first = producing("t", [withId("a"), "b", withId("c")]);
  assert.deepEqual((await client.done("produce", first)).duplicates, []);
  assert.deepEqual(await client.done("produce", producing("t", ["d", withId("a"), withId("e")])), {
    baseOffset: 3,
    count: 2,
    highWaterMark: 5,
    duplicates: [{ message: 1, partition: 0, offset: 0 }],
  });
  const again = producing("t", [withId("a"), withId("f"), withId("f")]);
  const version = VERSION.first;
  assert.deepEqual(await client.done("produce", again, { version }), {
    baseOffset: 5,
    count: 1,
    highWaterMark: 6,
    duplicates: [],
  });
  for (const size of [0, 65]) {
    const wrong = producing("t", [withId("x".repeat(size))]);
    for (const version of [1, 2]) {
      assert.equal(await client.refused("produce", wrong, { version }), 2, `${size} bytes`);
    }
  }
  const settings = { retentionMs: -2, retentionBytes: -2, segmentBytes: -2, segmentMs: -2 };
  const alter = (dedupeMs: number) => ({ topic: "t", settings: { ...settings, dedupeMs } });
  assert.equal(await client.refused("alterTopic", alter(-1)), 2);
  assert.equal((await client.done("alterTopic", alter(0))).settings.dedupeMs, 0);
  assert.equal((await client.done("produce", producing("t", [withId("a")]))).count, 1);
});

Deno.test("a producer is told where the message with an id is, and sends no more of them at once than may be", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await client.createTopic("t", { partitions: 2, dedupeMs: 60_000 });
  assert.equal((await client.describeTopic("t")).retention.dedupeMs, 60_000);
  await using producer = client.producer({ maxMessages: 10_000, maxBytes: 1 << 20 });
  const send = (id: string, partition: number) => producer.send("t", { id, value: id, partition });
  assert.deepEqual(await Promise.all([send("a", 0), send("b", 0), send("a", 0)]), [
    { partition: 0, offset: 0 },
    { partition: 0, offset: 1 },
    { partition: 0, offset: 0, duplicate: true },
  ]);
  assert.deepEqual(await Promise.all([send("c", 1), send("b", 1), send("d", 1)]), [
    { partition: 1, offset: 0 },
    { partition: 0, offset: 1, duplicate: true },
    { partition: 1, offset: 1 },
  ]);
  const many = Array.from({ length: 2_500 }, (_, i) => `many ${i}`);
  const sent = await Promise.all(many.map((id) => send(id, 0)));
  assert.deepEqual(sent.map(({ offset }) => offset), many.map((_, i) => 2 + i));
  for (const id of ["", "x".repeat(65)]) {
    await assert.rejects(producer.send("t", { id, value: "" }), RangeError);
  }
  await using consumer = client.consumer("t", { partitions: [1] });
  const message = await consumer.fetchOne();
  assert.deepEqual(message?.headers.map(([name, value]) => [name, value.text()]), [
    [ID_HEADER, "c"],
  ]);
});

Deno.test("ids, and batches that come again, are known to the next leader too", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const batch = [withId("a"), withId("b"), withId("a")];
  const { first, producer } = await (async () => {
    using client = await RawTopics.open(servers.at(name));
    const { producerId: id } = await client.done("initProducer", { transactionalId: "" });
    const producer = { id, epoch: 0, baseSequence: 0 };
    await client.done("produce", producing("t", [withId("b")]));
    return { first: await client.done("produce", producing("t", batch, { producer })), producer };
  })();
  assert.deepEqual(first.duplicates, [
    { message: 1, partition: 0, offset: 0 },
    { message: 2, partition: 0, offset: 1 },
  ]);
  await servers.end(name);
  using client = await RawTopics.open(servers.at(await leaderOf(servers.agents)));
  assert.deepEqual(await client.done("produce", producing("t", batch, { producer })), first);
  const more = await client.done("produce", producing("t", [withId("a"), withId("c")]));
  assert.deepEqual(more, {
    baseOffset: 2,
    count: 1,
    highWaterMark: 3,
    duplicates: [{ message: 0, partition: 0, offset: 1 }],
  });
});
