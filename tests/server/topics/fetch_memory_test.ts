/**
 * What fetches take of memory, and where they put what they read.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Lanes } from "../../../server/files/lanes.ts";
import { SharedBacklog } from "../../../server/net/outbox.ts";
import { Buffers } from "../../../server/topics/buffers.ts";
import { Packing } from "../../../server/topics/packing.ts";
import { fetch } from "../../../server/topics/requests/fetch.ts";
import type { RequestServices } from "../../../server/topics/services.ts";
import { produceCommand } from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { VERSION } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { MemoryTopics } from "../../support/topics/memory_topics.ts";
import { encodeMessages, messageOf } from "../../support/topics/messages.ts";
import { fetching, producing } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const KIB = 1024;

/** Has a fetch done of these topics; `over` ends its wait. */
function fetchOf(
  topics: MemoryTopics,
  body: ReturnType<typeof fetching>,
) {
  const services: RequestServices = {
    state: topics,
    messages: topics,
    cluster: topics,
    autoCreate: false,
    requestLimitMs: 30_000,
    waiting: new SharedBacklog(Infinity),
    buffers: new Buffers(0),
    scarce: new Lanes(),
    packing: new Packing(),
    startedAt: 0,
  };
  const over = Promise.withResolvers<() => void>();
  const client = {
    may: () => true,
    inTurn: <T>(work: () => Promise<T>) => work(),
    whenOver(end: () => void) {
      over.resolve(end);
      return () => {};
    },
    isGone: false,
  };
  const request = { kind: "fetch", id: 1, version: VERSION.second, flags: 0, body } as const;
  return { outcome: Promise.resolve(fetch(services, request, client)), over: over.promise };
}

/** Topics with one batch of messages with these values. */
function topicsWith(...values: string[]): MemoryTopics {
  const topics = new MemoryTopics();
  const messages = encodeMessages(values.map((value) => messageOf(value)));
  const topic = encodeUtf8("t");
  topics.apply(
    produceCommand({ topic, partition: 0, autoCreate: true, count: values.length, messages }),
  );
  return topics;
}

Deno.test("a message of more than a fetch has room for comes, and nothing behind it is read", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["x".repeat(200 * KIB)]));
  await client.done("produce", producing("t", ["b"]));
  for (const maxBytes of [0, 1, 100 * KIB]) {
    const { messages, highWaterMark } = await client.done("fetch", fetching("t", 0, { maxBytes }));
    assert.deepEqual([messages.count, highWaterMark], [1, 2]);
    assert.ok(messages.bytes.length > 200 * KIB);
  }
});

Deno.test("a fetch that waits keeps no messages, and has them read again when its time is over", async () => {
  const topics = topicsWith("x".repeat(200 * KIB));
  let reads = 0;
  topics.beforeRead = () => {
    reads++;
    return Promise.resolve();
  };
  const body = fetching("t", 0, { minBytes: 1024 * KIB, maxWaitMs: 60_000 });
  const { outcome, over } = fetchOf(topics, body);
  const end = await over;
  assert.equal(reads, 1);
  end();
  const answer = await outcome;
  assert.ok(answer.ok);
  assert.equal(answer.reply.messages.count, 1);
  assert.equal(reads, 2);
});

Deno.test("an answer that waits to be sent holds at most twice the memory that it is counted for", async () => {
  const topics = topicsWith("x".repeat(800 * KIB), "y".repeat(100 * KIB));
  for (const [offset, size] of [[0, 900], [1, 100]] as const) {
    const answer = await fetchOf(topics, fetching("t", offset)).outcome;
    assert.ok(answer.ok);
    const { bytes } = answer.reply.messages;
    assert.ok(bytes.length > size * KIB);
    const held = answer.buffer?.buffer.byteLength ?? 0;
    assert.ok(
      held >= bytes.length && held <= 2 * bytes.length,
      `${held} for ${bytes.length} bytes`,
    );
  }
});
