/**
 * Messages that are compressed on their way: what is made of them, and of what only claims to be some.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  constants,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from "node:zlib";
import { CODEC, FEATURE, FLAG } from "../../../protocol/topics/mod.ts";
import { MAX_IN_FLIGHT_BYTES } from "../../../server/topics/limits.ts";
import { eventually } from "../../support/agents.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import {
  decodeMessages,
  encodeMessages,
  messageOf,
  type TestMessage,
} from "../../support/topics/messages.ts";
import { rawFrame, sealed, str, u32 } from "../../support/topics/frames.ts";
import {
  answerOf,
  fetching,
  frameOf,
  isRefused,
  producing,
  type RawTopics,
} from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();
const MiB = 1024 * 1024;
const COMPRESSED = { flags: FLAG.compressed } as const;
const PACK = { [CODEC.gzip]: gzipSync, [CODEC.deflate]: deflateSync } as const;
const CODECS = [CODEC.gzip, CODEC.deflate] as const;

type Codec = typeof CODECS[number];

/** A produce of messages that were compressed. */
function packed(
  codec: Codec,
  messages: readonly TestMessage[],
  { count = messages.length, bend = (bytes: Uint8Array) => bytes } = {},
): ReturnType<typeof producing> {
  return packedBytes(codec, count, bend(new Uint8Array(PACK[codec](encodeMessages(messages)))));
}

function packedBytes(codec: Codec, count: number, bytes: Uint8Array) {
  return producing("t", [], { codec, messages: { count, bytes } });
}

/** A message that does not get shorter. */
function noise(bytes: number): TestMessage {
  const value = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(value.subarray(at, at + 65_536));
  }
  return messageOf("", { value });
}

/** So many MiB of zeros, as few bytes as become that; without an end. */
function bomb(mebibytes: number): Uint8Array {
  const flush = { finishFlush: constants.Z_FULL_FLUSH, level: constants.Z_BEST_COMPRESSION };
  const block = deflateRawSync(new Uint8Array(MiB), flush);
  const bytes = new Uint8Array(2 + mebibytes * block.length);
  bytes.set([0x78, 0xda]);
  for (let i = 0; i < mebibytes; i++) bytes.set(block, 2 + i * block.length);
  return bytes;
}

async function values(client: RawTopics, offset = 0): Promise<string[]> {
  const { messages } = await client.done("fetch", fetching("t", offset, { maxBytes: 9 * MiB }));
  const decoder = new TextDecoder();
  return decodeMessages(messages.bytes).map(({ value }) => decoder.decode(value ?? undefined));
}

Deno.test("messages that were compressed are there as they were, and come compressed to who asks", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const { features } = await client.done("hello", { client: "c", token: "" });
  assert.equal(features, FEATURE.compression);
  const messages = Array.from(
    { length: 100 },
    (_, i) => messageOf(JSON.stringify({ i, text: "much the same" }), { timestamp: BigInt(1 + i) }),
  );
  for (const [i, codec] of CODECS.entries()) {
    const baseOffset = 100 * i;
    const produced = await client.done("produce", packed(codec, messages), COMPRESSED);
    assert.deepEqual(produced, {
      baseOffset,
      count: 100,
      highWaterMark: baseOffset + 100,
      duplicates: [],
    });
    const plain = await client.done("fetch", fetching("t", baseOffset));
    assert.equal(plain.codec, CODEC.none);
    const found = decodeMessages(plain.messages.bytes);
    assert.deepEqual(found, messages.map((one, j) => ({ ...one, offset: BigInt(baseOffset + j) })));
    const wanted = fetching("t", baseOffset, { codec });
    const short = await client.done("fetch", wanted, COMPRESSED);
    assert.equal(short.codec, codec);
    assert.ok(short.messages.bytes.length < plain.messages.bytes.length / 3);
    const inflate = codec === CODEC.gzip ? gunzipSync : inflateSync;
    assert.deepEqual(new Uint8Array(inflate(short.messages.bytes)), plain.messages.bytes);
    assert.equal(short.messages.count, 100);
  }
  // What would get longer stays as it is.
  await client.done("produce", producing("t", ["a"]));
  const one = await client.done("fetch", fetching("t", 200, { codec: CODEC.gzip }), COMPRESSED);
  assert.deepEqual([one.codec, one.messages.count], [CODEC.none, 1]);
  const none = await client.done("fetch", fetching("t", 201, { codec: CODEC.gzip }), COMPRESSED);
  assert.deepEqual([none.codec, none.messages.count], [CODEC.none, 0]);
});

Deno.test("what takes long goes both ways as well, and bytes that are wanted are counted as they are", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const large = [noise(3 * MiB), noise(3 * MiB), messageOf("x".repeat(3 * MiB))];
  await client.done("produce", packed(CODEC.gzip, large), COMPRESSED);
  const wanted = { maxBytes: 10 * MiB, codec: CODEC.deflate };
  const { codec, messages } = await client.done("fetch", fetching("t", 0, wanted), COMPRESSED);
  assert.deepEqual([codec, messages.count], [CODEC.deflate, 3]);
  const found = decodeMessages(new Uint8Array(inflateSync(messages.bytes)));
  assert.deepEqual(found.map(({ value }) => value), large.map(({ value }) => value));
  const some = fetching("t", 0, { ...wanted, maxBytes: 7 * MiB });
  assert.equal((await client.done("fetch", some, COMPRESSED)).messages.count, 2);
  const waiting = fetching("t", 2, { ...wanted, minBytes: 2 * MiB, maxWaitMs: 60_000 });
  assert.equal((await client.done("fetch", waiting, COMPRESSED)).messages.count, 1);
});

Deno.test("what gets no shorter comes as it was, also when memory is used again for it", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const messages = [noise(200_000), noise(200_000)];
  await client.done("produce", producing("t", messages));
  for (const codec of CODECS) {
    const all = await Promise.all(Array.from({ length: 4 }, () => {
      return client.done("fetch", fetching("t", 0, { codec, maxBytes: MiB }), COMPRESSED);
    }));
    for (const { codec, messages: found } of all) {
      assert.equal(codec, CODEC.none);
      const told = decodeMessages(found.bytes).map(({ offset, value }) => ({ offset, value }));
      assert.deepEqual(told, messages.map(({ value }, i) => ({ offset: BigInt(i), value })));
    }
  }
});

Deno.test("what is inflated slowly is overtaken by nothing of its connection", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const large = [noise(3 * MiB), noise(3 * MiB)];
  const frames = [
    frameOf(1, "produce", packed(CODEC.gzip, large), COMPRESSED),
    frameOf(2, "produce", producing("t", ["plain"])),
    frameOf(3, "produce", packed(CODEC.deflate, [messageOf("short")]), COMPRESSED),
    frameOf(4, "fetch", fetching("t", -1)),
  ];
  for (const frame of frames) await client.send(frame);
  const offsets = [];
  for (const id of [1, 2, 3]) {
    const answer = answerOf(await client.reply(id), "produce");
    assert.ok(!isRefused(answer));
    offsets.push(answer.baseOffset);
  }
  assert.deepEqual(offsets, [0, 2, 3]);
  await client.reply(4);
  assert.deepEqual(await values(client, 2), ["plain", "short"]);
});

Deno.test("what is no compressed message is refused, and the next request is answered", async () => {
  await using stage = serveTopics(HOST);
  const some = [messageOf("a"), messageOf("b")];
  const large = [noise(MiB), messageOf("x")];
  const cut = (bytes: Uint8Array) => bytes.subarray(0, -3);
  const nothing = () => new Uint8Array();
  const followed = (...more: number[]) => (bytes: Uint8Array) =>
    Uint8Array.from([...bytes, ...more]);
  const turned = (bytes: Uint8Array) => {
    const bent = bytes.slice();
    const at = bent.length >> 1;
    bent[at] = (bent[at] as number) ^ 0x55;
    return bent;
  };
  for (const codec of CODECS) {
    const other = codec === CODEC.gzip ? CODEC.deflate : CODEC.gzip;
    for (const messages of [some, large]) {
      const wrong = {
        cut: packed(codec, messages, { bend: cut }),
        nothing: packed(codec, messages, { bend: nothing }),
        "followed by zeros": packed(codec, messages, { bend: followed(0, 0) }),
        "followed by others": packed(codec, messages, { bend: followed(7, 8, 9) }),
        turned: packed(codec, messages, { bend: turned }),
        "too few": packed(codec, messages, { count: 1 }),
        "too many": packed(codec, messages, { count: 3 }),
        "of another kind": { ...packed(codec, messages), codec: other },
        "no messages": packedBytes(codec, 1, new Uint8Array(PACK[codec](new Uint8Array(100)))),
      };
      for (const [name, body] of Object.entries(wrong)) {
        using client = await stage.client();
        assert.equal(await client.refused("produce", body, COMPRESSED), 2, `${codec} ${name}`);
        await client.done("healthCheck", {});
      }
    }
  }
  assert.equal(stage.topics.commands, 0);
});

Deno.test("the flag without a codec, a codec without the flag, and the flag elsewhere have code 2", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const head = [...str("t"), ...u32(0), 0xff, 0xff, ...u32(0), ...Array(14).fill(0)];
  const bytes = encodeMessages([messageOf("a")]);
  const short = deflateSync(bytes);
  const plain = [...u32(1), ...bytes];
  const packed = [...u32(1), ...u32(short.length), ...short];
  const fetch = [...str("t"), ...Array(4 + 8 + 12).fill(0)];
  const cases:
    readonly (readonly [type: number, version: number, flags: number, number[], number])[] = [
      [1, 2, 2, [...head, 0, ...plain], 2],
      [1, 2, 2, [...head, 3, ...packed], 2],
      [1, 2, 0, [...head, 2, ...packed], 2],
      [1, 1, 2, [...str("t"), ...u32(0), ...plain], 2],
      [1, 2, 2, [...head, 2, ...packed, 0], 2],
      [1, 2, 2, [...head, 2, ...u32(0), ...packed.slice(4)], 2],
      [1, 2, 2, [...head, 2, ...u32(0xffffffff), ...packed.slice(4)], 2],
      [1, 2, 2, [...head, 2, ...u32(1), ...u32(0xffffffff), ...short], 2],
      [2, 2, 2, fetch, 2],
      [2, 2, 2, [...fetch, 0], 2],
      [2, 2, 0, [...fetch, 1], 2],
      [2, 1, 2, fetch.slice(0, -8), 2],
      [7, 2, 2, [], 2],
    ];
  for (const [i, [type, version, flags, payload, code]] of cases.entries()) {
    const frame = rawFrame(i, type, version, payload);
    frame[15] = flags;
    using client = await stage.client();
    await client.send(sealed(frame));
    assert.equal((await client.reply(i)).code, code, `case ${i}`);
    await client.done("healthCheck", {});
  }
  const right = rawFrame(77, 1, 2, [...head, 2, ...packed]);
  right[15] = 2;
  await client.send(sealed(right));
  assert.equal((await client.reply(77)).code, 0);
  assert.deepEqual(await values(client), ["a"]);
});

test("what would take a gigabyte takes no more than a frame, on many connections at once", async () => {
  await using stage = serveTopics(HOST);
  const [gigabyte, short] = [bomb(1_024), bomb(12)];
  assert.ok(gigabyte.length < 1.1 * MiB && short.length < 16_384);
  const clients = await Promise.all(Array.from({ length: 12 }, () => stage.client()));
  using other = await stage.client();
  await other.done("produce", producing("t", ["a"]));
  const before = Deno.memoryUsage().rss;
  let [most, asked, open] = [0, 0, clients.length];
  const attacks = clients.map(async (client, i) => {
    const body = packedBytes(CODEC.deflate, 1_000, i % 2 ? gigabyte : short);
    assert.equal(await client.refused("produce", body, COMPRESSED), 12);
    await client.done("healthCheck", {});
    open--;
  });
  const bystander = async (): Promise<void> => {
    while (open > 0) {
      await other.done("healthCheck", {});
      most = Math.max(most, Deno.memoryUsage().rss - before);
      asked++;
    }
  };
  await Promise.all([...attacks, bystander()]);
  assert.ok(most < 200 * MiB, `${most / MiB} MiB`);
  // It has its turn between the pieces.
  assert.ok(asked > clients.length, `${asked} requests were answered meanwhile`);
  assert.equal(stage.topics.commands, 1);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("while too much waits to be inflated more is refused, and taken afterwards", async () => {
  await using stage = serveTopics(HOST, { maxPackedBytes: MiB });
  using first = await stage.client();
  using second = await stage.client();
  const large = packed(CODEC.gzip, [noise(3 * MiB), noise(3 * MiB)]);
  const small = packed(CODEC.gzip, [messageOf("a")]);
  let refused = 0;
  for (let round = 0; round < 50 && refused === 0; round++) {
    const id = await first.post("produce", large, COMPRESSED);
    for (let i = 0; i < 20 && refused === 0; i++) {
      const answer = await second.ask("produce", small, COMPRESSED);
      if (isRefused(answer)) refused = answer.code;
    }
    assert.equal((await first.reply(id)).code, 0);
  }
  assert.equal(refused, 101);
  await second.done("produce", small, COMPRESSED);
});

Deno.test("who sends what is none again and again is disconnected", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (let i = 0; i < 16; i++) {
    await client.post("produce", packedBytes(CODEC.gzip, 1, new Uint8Array(9)), COMPRESSED);
  }
  assert.deepEqual((await client.end()).map(({ code }) => code), Array(16).fill(2));
});

Deno.test("no more is under way of a connection than it may have, counted as it is when it is inflated", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  stage.topics.hold();
  const message = messageOf("x".repeat(200_000));
  const body = packed(CODEC.gzip, [message]);
  for (let i = 0; i < 100; i++) await client.post("produce", body, COMPRESSED);
  const each = encodeMessages([message]).length;
  const most = Math.ceil(MAX_IN_FLIGHT_BYTES / each);
  await eventually("as many as may be are taken", () => stage.topics.held === most);
  using other = await stage.client();
  await other.done("healthCheck", {});
  assert.equal(stage.topics.held, most);
  stage.topics.release();
  for (let i = 0; i < 100; i++) assert.equal((await client.reply()).code, 0);
});

Deno.test("a client that goes while it is inflated leaves nothing behind, and who wants no reply has it done", async () => {
  await using stage = serveTopics(HOST);
  const body = packed(CODEC.gzip, [noise(MiB), noise(MiB)]);
  for (let i = 0; i < 8; i++) {
    const client = await stage.client();
    await client.post("produce", body, COMPRESSED);
    client[Symbol.dispose]();
  }
  const client = await stage.client();
  await client.post("produce", body, { flags: FLAG.compressed | FLAG.async });
  client[Symbol.dispose]();
  await eventually("they are gone", () => stage.port.size === 0);
  using other = await stage.client();
  const { highWaterMark } = await other.done("fetch", fetching("t", -1));
  assert.ok(highWaterMark >= 2 && highWaterMark % 2 === 0, `${highWaterMark}`);
  await other.done("produce", packed(CODEC.deflate, [messageOf("b")]), COMPRESSED);
  assert.deepEqual(await values(other, highWaterMark), ["b"]);
});
