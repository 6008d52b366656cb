/**
 * Clients that compress, and are given what is compressed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { deflateRawSync, deflateSync } from "node:zlib";
import { TopicClient, TopicError, type TopicMessage } from "../../../client/mod.ts";
import { CODEC, FEATURE, FLAG, FrameWriter, writeReply } from "../../../protocol/topics/mod.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import { addressOf } from "../../support/topics/command.ts";
import { encodeMessages, messageOf } from "../../support/topics/messages.ts";
import { serveTopics as serveScript } from "../../support/topics/scripted_server.ts";
import { serveTopics } from "../../support/topics/stage.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();
const MiB = 1024 * 1024;

const line = (i: number): string => JSON.stringify({ line: i, user: "anna", action: "paid" });

/** All messages of a topic of one partition. */
async function all(client: TopicClient, options = {}): Promise<TopicMessage[]> {
  await using consumer = client.consumer("t", options);
  const end = await consumer.endOffset(0);
  const messages: TopicMessage[] = [];
  while (messages.length < end) messages.push(...await consumer.fetch());
  return messages;
}

Deno.test("messages are compressed on their way, both ways, and are those that were sent", async () => {
  await using stage = serveTopics(HOST);
  await using client = await TopicClient.connect({ address: addressOf(stage) });
  const count = 500;
  for (const [i, compression] of (["gzip", "deflate"] as const).entries()) {
    await using producer = client.producer({ compression, idempotent: i === 1 });
    const sent = Array.from({ length: count }, (_, j) => producer.send("t", { value: line(j) }));
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset);
    assert.deepEqual(offsets, Array.from({ length: count }, (_, j) => i * count + j));
    const { bytes, wireBytes } = producer.statistics;
    assert.ok(wireBytes > 0 && wireBytes < bytes / 3, `${wireBytes} of ${bytes} bytes`);
    await using consumer = client.consumer("t", { compression, start: i * count });
    for (let j = 0; j < count; j++) {
      assert.equal((await consumer.fetchOne())?.value?.text(), line(j));
    }
    const read = consumer.statistics;
    assert.ok(read.wireBytes > 0 && read.wireBytes < read.bytes / 3);
  }
  await using plain = client.producer();
  await plain.send("t", { value: "plain" });
  assert.equal(plain.statistics.wireBytes, plain.statistics.bytes);
  assert.equal((await all(client)).length, 2 * count + 1);
});

Deno.test("batches that take long to be compressed stay in order, beside short ones and what does not get shorter", async () => {
  await using stage = serveTopics(HOST);
  await using client = await TopicClient.connect({ address: addressOf(stage) });
  const options = { compression: "gzip", maxMessages: 1, lingerMs: 0 } as const;
  await using producer = client.producer(options);
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const values = Array.from({ length: 30 }, (_, i) => {
    if (i % 3 === 0) return new TextEncoder().encode(`${i} `.padEnd(MiB, line(i)));
    return i % 3 === 1 ? new TextEncoder().encode(`${i}`) : noise.subarray(i);
  });
  const sent = await Promise.all(values.map((value) => producer.send("t", { value })));
  assert.deepEqual(sent.map(({ offset }) => offset), [...values.keys()]);
  const found = await all(client, { compression: "deflate", maxBytes: 8 * MiB });
  for (const [i, { value }] of found.entries()) {
    assert.deepEqual(new Uint8Array(value ?? []), new Uint8Array(values[i] ?? []), `message ${i}`);
  }
});

Deno.test("nobody's reply is waited for by who wants none, compressed or not", async () => {
  await using stage = serveTopics(HOST);
  await using client = await TopicClient.connect({ address: addressOf(stage) });
  await client.createTopic("t");
  await using producer = client.producer({ compression: "deflate", async: true });
  for (let i = 0; i < 300; i++) producer.send("t", { value: line(i) });
  await producer.flush();
  await using consumer = client.consumer("t");
  for (let i = 0; i < 300; i++) {
    assert.equal((await consumer.fetchOne())?.value?.text(), line(i));
  }
});

Deno.test("a server that knows no compression is sent none, and asked for none", async () => {
  await using server = serveScript(HOST);
  server.model.create("t", 1);
  await using client = await TopicClient.connect({ address: server.address });
  await using producer = client.producer({ compression: "gzip" });
  await Promise.all(Array.from({ length: 100 }, (_, i) => producer.send("t", { value: line(i) })));
  assert.deepEqual(server.model.values("t", 0), Array.from({ length: 100 }, (_, i) => line(i)));
  assert.equal((await all(client, { compression: "gzip" })).length, 100);
  assert.ok(server.received.every(({ flags }) => (flags & FLAG.compressed) === 0));
});

test("what a server gives for compressed messages is believed only if it is some, and in bounds", async () => {
  await using server = serveScript(HOST);
  server.model.create("t", 1);
  server.model.features = FEATURE.compression;
  const messages = encodeMessages([messageOf("a")]);
  const right = deflateSync(messages);
  const bomb = deflateRawSync(new Uint8Array(64 * MiB));
  const given: readonly (readonly [bytes: Uint8Array, count: number])[] = [
    [right.subarray(0, -2), 1],
    [Uint8Array.from([...right, 0]), 1],
    [Uint8Array.of(1, 2, 3), 1],
    [right, 2],
    [Uint8Array.from([0x78, 0xda, ...bomb]), 1],
    [right, 1],
  ];
  let next = 0;
  server.script = (request, connection) => {
    if (request.kind !== "fetch") return false;
    assert.equal(request.body.codec, CODEC.deflate);
    const [bytes, count] = given[Math.min(next++, given.length - 1)] as typeof given[number];
    const writer = new FrameWriter();
    const reply = { highWaterMark: 1, codec: CODEC.deflate, messages: { count, bytes } };
    writeReply(writer, request.id, "fetch", 2, reply, request.flags);
    connection.sendBytes(writer.finish());
    return true;
  };
  await using client = await TopicClient.connect({ address: server.address });
  await using consumer = client.consumer("t", { compression: "deflate" });
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < given.length - 1; i++) {
    await assert.rejects(consumer.fetchOne(), (error) => {
      return error instanceof TopicError && error.reason === "CORRUPT_MESSAGE";
    }, `answer ${i}`);
  }
  assert.equal((await consumer.fetchOne())?.value?.text(), "a");
  assert.ok(Deno.memoryUsage().rss - before < 100 * MiB);
  for (const compression of ["zstd", "", 1, null] as never[]) {
    assert.throws(() => client.producer({ compression }), TypeError);
    assert.throws(() => client.consumer("t", { compression }), TypeError);
  }
});
