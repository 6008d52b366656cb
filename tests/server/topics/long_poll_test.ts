/**
 * Fetches that wait for messages.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  createTopicCommand,
  deleteTopicCommand,
  produceCommand,
} from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { loopback } from "../../support/loopback.ts";
import { encodeMessages, messageOf } from "../../support/topics/messages.ts";
import {
  answerOf,
  fetching,
  isRefused,
  producing,
  type RawTopics,
} from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const ONE = encodeMessages([messageOf("a")]).length;

/** How many messages a fetch gets, and after how many milliseconds. */
async function waited(
  client: RawTopics,
  offset: number,
  rest: Partial<ReturnType<typeof fetching>>,
): Promise<{ count: number; highWaterMark: number; ms: number }> {
  const start = performance.now();
  const fetch = fetching("t", offset, { minBytes: 1, maxWaitMs: 5_000, ...rest });
  const { messages, highWaterMark } = await client.done("fetch", fetch);
  return { count: messages.count, highWaterMark, ms: performance.now() - start };
}

Deno.test("a fetch that waits has the next message soon, or nothing when its time is over", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  using producer = await stage.client();
  await producer.done("produce", producing("t", ["a"]));
  const nothing = await waited(client, 1, { maxWaitMs: 200 });
  assert.equal(nothing.count, 0);
  assert.ok(nothing.ms >= 195 && nothing.ms < 1_000, `${nothing.ms} ms`);
  for (let offset = 1; offset < 6; offset++) {
    const waiting = waited(client, offset, {});
    await producer.done("healthCheck", {});
    const start = performance.now();
    await producer.done("produce", producing("t", ["b"]));
    const { count, highWaterMark } = await waiting;
    assert.deepEqual([count, highWaterMark], [1, offset + 1]);
    assert.ok(performance.now() - start < 1_000, `${performance.now() - start} ms`);
  }
  // What is there already is not waited for.
  assert.ok((await waited(client, 0, {})).ms < 1_000);
  assert.ok((await waited(client, -2, {})).ms < 1_000);
});

Deno.test("a fetch waits from the end on, and until there are as many bytes as it wants", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  using producer = await stage.client();
  await producer.done("produce", producing("t", ["a"]));
  const latest = waited(client, -1, {});
  await producer.done("healthCheck", {});
  await producer.done("produce", producing("t", ["b"]));
  assert.equal((await latest).count, 1);

  const three = waited(client, 1, { minBytes: 3 * ONE });
  for (let i = 0; i < 2; i++) {
    await producer.done("produce", producing("t", ["c"]));
    await producer.done("healthCheck", {});
  }
  assert.equal((await three).count, 3);
  const late = await waited(client, 1, { minBytes: 100 * ONE, maxWaitMs: 200 });
  assert.equal(late.count, 3);
  assert.ok(late.ms >= 195, `${late.ms} ms`);
  // No more can be had than fits.
  for (const maxBytes of [2 * ONE, 2 * ONE + 5]) {
    const small = await waited(client, 1, { minBytes: 100 * ONE, maxBytes });
    assert.equal(small.count, 2);
    assert.ok(small.ms < 1_000, `${small.ms} ms`);
  }
});

Deno.test("a fetch that waits keeps nothing else of its connection waiting, and ends with it", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["a"]));
  const id = await client.post("fetch", fetching("t", 1, { minBytes: 1, maxWaitMs: 60_000 }));
  await client.done("healthCheck", {});
  await client.done("produce", producing("t", ["b"]));
  const answer = answerOf(await client.reply(id), "fetch");
  assert.ok(!isRefused(answer) && answer.messages.count === 1);
  await client.post("fetch", fetching("t", 2, { minBytes: 1, maxWaitMs: 60_000 }));
  await client.done("healthCheck", {});
});

Deno.test("a fetch that waits for a topic ends when another one has taken its name, although that has too few bytes", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 0 });
  const rest = { minBytes: 100 * ONE, maxWaitMs: 60_000 };
  const id = await client.post("fetch", fetching("t", 0, rest));
  await client.done("healthCheck", {});
  const topic = encodeUtf8("t");
  const messages = encodeMessages([messageOf("a")]);
  const produce = produceCommand({ topic, partition: 0, count: 1, messages });
  // All of it before whoever waits has a look.
  stage.topics.apply(produce);
  stage.topics.apply(deleteTopicCommand(topic));
  stage.topics.apply(createTopicCommand({ topic, partitions: 1 }));
  stage.topics.apply(produce);
  const answer = answerOf(await client.reply(id), "fetch");
  assert.ok(!isRefused(answer));
  assert.equal(answer.messages.count, 0);
  assert.equal((await waited(client, 0, {})).count, 1);
});

Deno.test("a thousand who wait cost nothing, and hear of one message", async () => {
  await using stage = serveTopics(HOST);
  using producer = await stage.client();
  await producer.done("produce", producing("t", ["a"]));
  const clients: RawTopics[] = [];
  for (let i = 0; i < 10; i++) clients.push(await stage.client());
  for (const client of clients) {
    for (let i = 0; i < 100; i++) {
      await client.post("fetch", fetching("t", 1, { minBytes: 1, maxWaitMs: 60_000 }));
    }
    await client.done("healthCheck", {});
  }
  const before = stage.topics.peeks;
  // Nothing that others do wakes them.
  for (let i = 0; i < 50; i++) await producer.done("produce", producing("u", ["x"]));
  assert.ok(stage.topics.peeks - before < 10, `${stage.topics.peeks - before} looks`);
  await producer.done("produce", producing("t", ["b"]));
  for (const client of clients) {
    for (let i = 0; i < 100; i++) {
      const answer = answerOf(await client.reply(), "fetch");
      assert.ok(!isRefused(answer) && answer.messages.count === 1);
    }
    client[Symbol.dispose]();
  }
});
