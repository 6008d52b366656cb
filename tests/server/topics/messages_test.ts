/**
 * What is produced and what is fetched.
 *
 * @module
 */

import assert from "node:assert/strict";
import { NO_BYTES } from "../../../protocol/bytes.ts";
import { FLAG, readReply, type RequestId } from "../../../protocol/topics/mod.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import {
  decodeMessages,
  encodeMessages,
  messageOf,
  randomMessage,
  type TestMessage,
} from "../../support/topics/messages.ts";
import { fetching, producing, type RawTopics } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

/** The messages from an offset on. */
async function fetched(
  client: RawTopics,
  offset: number,
  rest: Partial<ReturnType<typeof fetching>> = {},
  version = 2,
): Promise<TestMessage[]> {
  const { messages } = await client.done("fetch", fetching("t", offset, rest), { version });
  const found = decodeMessages(messages.bytes);
  assert.equal(found.length, messages.count);
  return found;
}

function textsOf(messages: readonly TestMessage[]): string[] {
  return messages.map(({ value }) => new TextDecoder().decode(value ?? NO_BYTES));
}

Deno.test("offsets are consecutive from 0, and a batch is told by its first", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (const [count, baseOffset] of [[1, 0], [3, 1], [100, 4], [1, 104]] as const) {
    const values = Array.from({ length: count }, (_, i) => String(baseOffset + i));
    const produced = await client.done("produce", producing("t", values));
    const highWaterMark = baseOffset + count;
    assert.deepEqual(produced, { baseOffset, count, highWaterMark, duplicates: [] });
  }
  const all = await fetched(client, 0);
  assert.deepEqual(all.map(({ offset }) => Number(offset)), [...Array(105).keys()]);
  assert.deepEqual(textsOf(all), [...Array(105).keys()].map(String));
});

Deno.test("keys, values, headers and timestamps come back as they were", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const random = new SeededRandom(SEED);
  const sent: TestMessage[] = [];
  for (let round = 0; round < 60; round++) {
    const version = 1 + below(random, 2);
    const some = Array.from(
      { length: 1 + below(random, 5) },
      () => ({ ...randomMessage(random, version === 2), timestamp: 1n + BigInt(random.uint32()) }),
    );
    await client.done("produce", producing("t", some), { version });
    sent.push(...some);
  }
  const expected = sent.map((message, i) => ({ ...message, offset: BigInt(i) }));
  const told: TestMessage[] = [];
  while (told.length < sent.length) {
    told.push(...await fetched(client, told.length, { maxBytes: 1 + below(random, 3_000) }));
  }
  assert.deepEqual(told, expected, `seed ${SEED}`);
  // The first version knows no null.
  const first = await fetched(client, 0, {}, 1);
  const withoutNulls = expected.map((message) => ({
    ...message,
    key: message.key ?? NO_BYTES,
    value: message.value ?? NO_BYTES,
  }));
  assert.deepEqual(first, withoutNulls, `seed ${SEED}`);
  assert.deepEqual(await fetched(client, 0), expected, `seed ${SEED}`);
});

Deno.test("a message without a timestamp gets the time of the server", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const before = Date.now();
  await client.done("produce", producing("t", ["now", messageOf("then", { timestamp: 5n })]));
  const [now, then] = await fetched(client, 0);
  const ms = Number((now?.timestamp ?? 0n) / 1_000_000n);
  assert.ok(ms >= before && ms <= Date.now(), `${ms}`);
  assert.equal(then?.timestamp, 5n);
});

Deno.test("a fetch at the end is empty, beyond and before it has a code, and -1 and -2 stand for the ends", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["a", "b", "c"]));
  await client.done("deleteRecords", { topic: "t", partition: 0, offset: 1 });
  assert.deepEqual(await fetched(client, 3), []);
  assert.deepEqual(await fetched(client, -1), []);
  assert.deepEqual(textsOf(await fetched(client, -2)), ["b", "c"]);
  assert.deepEqual(textsOf(await fetched(client, 1)), ["b", "c"]);
  assert.equal(await client.refused("fetch", fetching("t", 0)), 3);
  assert.equal(await client.refused("fetch", fetching("t", 4)), 3);
  assert.equal(await client.refused("fetch", fetching("t", Number.MAX_SAFE_INTEGER)), 3);
  assert.equal(await client.refused("fetch", fetching("u", 0)), 8);
  assert.equal(await client.refused("fetch", fetching("t", 0, { partition: 1 })), 5);
  const { highWaterMark } = await client.done("fetch", fetching("t", -1));
  assert.equal(highWaterMark, 3);
});

Deno.test("a fetch has no more bytes than it wants, but one message in any case", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const big = "x".repeat(1024 * 1024);
  await client.done("produce", producing("t", ["a", big, "b", "c"]));
  await client.done("produce", producing("t", ["d"]));
  const one = encodeMessages([messageOf("a")]).length;
  assert.deepEqual(textsOf(await fetched(client, 0, { maxBytes: 1 })), ["a"]);
  assert.deepEqual(textsOf(await fetched(client, 0, { maxBytes: one })), ["a"]);
  assert.deepEqual(textsOf(await fetched(client, 1, { maxBytes: 1 })), [big]);
  assert.deepEqual(textsOf(await fetched(client, 1, { maxBytes: 0 })), [big]);
  assert.deepEqual(textsOf(await fetched(client, 2, { maxBytes: 2 * one })), ["b", "c"]);
  assert.deepEqual(textsOf(await fetched(client, 2, { maxBytes: 3 * one })), ["b", "c", "d"]);
  assert.deepEqual(textsOf(await fetched(client, 2, { maxBytes: 3 * one - 1 })), ["b", "c"]);
});

Deno.test("answers that wait for each other do not mix", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const count = 40;
  const texts = Array.from({ length: count }, (_, i) => String(i).padEnd(100_000, `${i % 10}`));
  for (const text of texts) await client.done("produce", producing("t", [text]));
  for (let round = 0; round < 2; round++) {
    const ids: RequestId[] = [];
    // The client reads none before it has asked for all.
    for (let offset = 0; offset + 1 < count; offset++) {
      ids.push(await client.post("fetch", fetching("t", offset, { maxBytes: 210_000 })));
    }
    for (const [offset, id] of ids.entries()) {
      const { messages } = readReply((await client.reply(id)).payload, "fetch");
      const found = textsOf(decodeMessages(messages.bytes));
      assert.deepEqual(found, texts.slice(offset, offset + 2));
    }
  }
});

Deno.test("a topic is made by a produce where that is wanted, and never by anything else", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  assert.equal(await client.refused("fetch", fetching("t", 0)), 8);
  assert.equal(await client.refused("getOffset", { topic: "t", partition: 0 }), 8);
  assert.equal(await client.refused("produce", producing("t", ["a"], { partition: 1 })), 5);
  await client.done("produce", producing("t", ["a"]));
  const { topics } = await client.done("listTopics", {});
  assert.deepEqual(topics, [{ name: "t", partitions: 1 }]);

  await using strict = serveTopics(HOST, { autoCreate: false });
  using other = await strict.client();
  assert.equal(await other.refused("produce", producing("t", ["a"])), 8);
});

Deno.test("nobody gets a reply who wants none, and what was asked for is done", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const flags = FLAG.async;
  await client.post("produce", producing("t", ["a"]), { flags });
  await client.post("produce", producing("t", ["b"], { partition: 9 }), { flags });
  await client.post("produce", producing("t", ["c"]), { flags, version: 1 });
  await client.done("healthCheck", {});
  await eventually("both are there", async () => {
    return (await client.done("fetch", fetching("t", -2))).messages.count === 2;
  });
  assert.deepEqual(textsOf(await fetched(client, 0)), ["a", "c"]);
  await client.post("deleteTopic", { topic: "u" }, { flags });
  await client.post("healthCheck", {}, { flags });
  await client.done("healthCheck", {});
  assert.equal(client.unread, 0);
});

Deno.test("what a segment lost between two looks is looked for again", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["a", "b"]));
  const segments = new Map(stage.topics.segments.all);
  let reads = 0;
  stage.topics.beforeRead = () => {
    if (++reads === 1) stage.topics.segments.all.clear();
    else for (const [name, bytes] of segments) stage.topics.segments.all.set(name, bytes);
    return Promise.resolve();
  };
  assert.deepEqual(textsOf(await fetched(client, 0)), ["a", "b"]);
  assert.equal(reads, 2);
  stage.topics.beforeRead = undefined;
  stage.topics.segments.all.clear();
  assert.equal(await client.refused("fetch", fetching("t", 0)), 7);
});
