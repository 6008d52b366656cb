/**
 * Requests and replies of topics: their bytes, the ends of their numbers, and frames that are none.
 *
 * @module
 */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { putU32 } from "../../../protocol/bytes.ts";
import {
  CODE,
  FLAG,
  FrameError,
  FrameWriter,
  MAX_FRAME_BYTES,
  PayloadError,
  readError,
  readReply,
  readReplyHead,
  readRequest,
  type Replies,
  replySplitter,
  type Request,
  type RequestId,
  type RequestKind,
  type Requests,
  requestSplitter,
  type Sending,
  STATUS,
  writeError,
  writeReply,
  writeRequest,
} from "../../../protocol/topics/mod.ts";
import { mutated } from "../../support/mutate.ts";
import { SECOND_ONLY } from "../../support/topics/frames.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { RandomFrames } from "../../support/topics/random_frames.ts";
import { BROKEN, NO_TOPIC, REPLIES, REQUESTS } from "./vectors.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

/** What a frame holds after its length. */
const bodyOf = (frame: Uint8Array): Uint8Array => frame.subarray(4);
const fromHex = (hex: string): Uint8Array => bodyOf(Uint8Array.fromHex(hex));

function requestFrame<K extends RequestKind>(
  id: RequestId,
  kind: K,
  request: Requests[K],
  sending?: Sending,
): Uint8Array<ArrayBuffer> {
  const writer = new FrameWriter(16);
  writeRequest(writer, id, kind, request, sending);
  return writer.finish();
}

function replyFrame<K extends RequestKind>(
  id: RequestId,
  kind: K,
  version: number,
  reply: Replies[K],
  flags?: number,
): Uint8Array {
  const writer = new FrameWriter(16);
  writeReply(writer, id, kind, version, reply, flags);
  return writer.finish();
}

/** A request of any payload, with its checksum, as after its length. */
function rawRequest(
  payload: Uint8Array,
  { type, version = 2, flags = 0 }: { type: number; version?: number; flags?: number },
): Uint8Array {
  const head = [0, 0, 0, 0, 0, 0, 0, 77, type, version, flags >> 8, flags & 0xff];
  return checked(Uint8Array.from([...head, ...payload, 0, 0, 0, 0]));
}

/** The same bytes with the right checksum at their end. */
function checked(bytes: Uint8Array): Uint8Array {
  putU32(bytes, bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)));
  return bytes;
}

/** What the frame error says that `bytes` are. */
function errorOf(bytes: Uint8Array): FrameError {
  try {
    readRequest(bytes);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error("A request was read");
}

Deno.test("every golden frame has exactly its bytes, and its bytes are what it says", () => {
  for (const { hex, id, kind, version, flags, body } of REQUESTS) {
    const frame = requestFrame(id, kind, body as Requests[typeof kind], { version, flags });
    assert.equal(frame.toHex(), hex);
    assert.deepEqual(readRequest(fromHex(hex)), { kind, id, version, flags, body });
  }
  for (const { hex, id, kind, version, body } of REPLIES) {
    assert.equal(
      replyFrame(id, kind, version, body as Replies[typeof kind]).toHex(),
      hex,
    );
    const { payload, ...head } = readReplyHead(fromHex(hex));
    assert.deepEqual(head, { id, status: STATUS.ok, code: 0 });
    assert.deepEqual(readReply(payload, kind, version), body);
  }
  const writer = new FrameWriter();
  writeError(writer, 8, CODE.TOPIC_NOT_FOUND, "no topic");
  assert.equal(writer.finish().toHex(), NO_TOPIC);
  const { payload, ...head } = readReplyHead(fromHex(NO_TOPIC));
  assert.deepEqual(head, { id: 8, status: STATUS.error, code: CODE.TOPIC_NOT_FOUND });
  assert.equal(readError(payload), "no topic");
});

Deno.test("frames that are no request say what is to be answered, and whether the connection goes on", () => {
  const told = (bytes: Uint8Array) => {
    const { code, requestId, ends } = errorOf(bytes);
    return [code, requestId, ends];
  };
  assert.deepEqual(told(fromHex(BROKEN.unknownType)), [CODE.UNKNOWN_REQUEST, 9, false]);
  assert.deepEqual(told(fromHex(BROKEN.version9)), [CODE.INVALID_PROTOCOL, 10, false]);
  for (const hex of [BROKEN.killer, "00000000", "0000000f" + "00".repeat(15)]) {
    assert.deepEqual(told(fromHex(hex)), [CODE.INVALID_REQUEST, undefined, true], hex);
  }
  for (const { hex, id } of REQUESTS) {
    const { length } = fromHex(hex);
    // The id is answered as it was read.
    for (let at = 8; at < length; at++) {
      const bytes = fromHex(hex);
      (bytes[at] as number) ^= 1 << at % 8;
      assert.deepEqual(told(bytes), [CODE.CHECKSUM_MISMATCH, id, true]);
    }
  }
});

Deno.test("a request that is wrong in itself is answered, and the next one is read", () => {
  const topic = [0, 0, 0, 1, 0x74];
  const group = [0, 0, 0, 1, 0x67];
  const payloads: readonly (readonly [type: number, version: number, payload: number[]])[] = [
    [0x05, 1, []],
    [0x05, 1, [0, 0, 0, 2, 0x74]],
    [0x05, 1, [0xff, 0xff, 0xff, 0xff, 0x74]],
    [0x05, 1, [...topic, 0]],
    [0x05, 1, [0, 0, 0, 0]],
    [0x05, 1, [0, 0, 0, 1, 0x2e]],
    [0x05, 1, [0, 0, 0, 2, 0x2e, 0x2e]],
    [0x05, 1, [0, 0, 0, 1, 0x2f]],
    [0x05, 1, [0, 0, 0, 1, 0xff]],
    [0x05, 1, [0, 0, 0, 250, ...new Array(250).fill(0x74)]],
    [0x40, 2, [0, 0, 0, 250, ...new Array(254).fill(0)]],
    [0x07, 1, [0]],
    // No message, and more of them than there can be.
    [0x01, 1, [...topic, 0, 0, 0, 0, 0, 0, 0, 0]],
    [0x01, 1, [...topic, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]],
    [0x01, 1, [...topic, 0, 0, 0, 0, 0, 0, 0, 2, ...new Array(55).fill(0)]],
    // An offset of -3.
    [0x02, 1, [...topic, 0, 0, 0, 0, ...new Array(7).fill(0xff), 0xfd, 0, 0, 0, 1]],
    [0x0c, 2, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    // A group without a name, no topic, one twice, and more than there may be.
    [0x08, 2, [...new Array(24).fill(0), 1, ...topic]],
    [0x08, 2, [...group, ...new Array(16).fill(0), 0, 0, 0, 0]],
    [0x08, 2, [...group, ...new Array(16).fill(0), 0, 0, 0, 2, ...topic, ...topic]],
    [0x08, 2, [
      ...group,
      ...new Array(16).fill(0),
      0,
      0,
      1,
      1,
      ...new Array(257).fill(topic).flat(),
    ]],
    [0x09, 2, [...group, ...new Array(8).fill(0), 0, 0, 0, 1, ...topic]],
    [0x09, 2, [...group, ...new Array(8).fill(0), 0xff, 0xff, 0xff, 0xff]],
    [0x0a, 2, [...group, 0, 0, 0, 1, 0, 0, 0, 0, 0]],
    [0x0b, 2, [0, 0, 0, 0, 0, 0, 0, 0]],
    [0x46, 2, [0, 0, 0, 0]],
    [0x47, 2, [0]],
    [0x0d, 2, [0, 0, 0, 1, 0x67, 0xff, 0xff, 0xff, 0xff]],
    [0x0d, 2, [0, 0, 0, 1, 0x67, 0, 0, 0, 1, ...topic]],
    [0x41, 2, [0xff, 0xff, 0xff, 0xff]],
    // A codec, 2 acks, a time below 0.
    [0x01, 2, [...topic, ...new Array(24).fill(0), 1, 0, 0, 0, 1, ...new Array(28).fill(0)]],
    [0x01, 2, [...topic, 0, 0, 0, 0, 0, 2, ...new Array(22).fill(0), 1, ...new Array(28).fill(0)]],
    [0x01, 2, [
      ...topic,
      ...[0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0],
      ...new Array(18).fill(0),
      1,
      ...new Array(28).fill(0),
    ]],
  ];
  for (const [type, version, payload] of payloads) {
    const { code, requestId, ends } = errorOf(
      rawRequest(Uint8Array.from(payload), { type, version }),
    );
    assert.deepEqual([code, requestId, ends], [CODE.INVALID_REQUEST, 77, false], `${payload}`);
  }
  const none = new Uint8Array(0);
  assert.equal(
    errorOf(rawRequest(none, { type: 7, flags: FLAG.compressed })).code,
    CODE.INVALID_REQUEST,
  );
  for (const type of [0x0f, 0x10, 0x11, 0x12, 0x3f, 0x48, 0, 0xff]) {
    for (const version of [1, 2]) {
      assert.equal(errorOf(rawRequest(none, { type, version })).code, CODE.UNKNOWN_REQUEST);
    }
  }
  // What only the second version knows.
  for (const type of SECOND_ONLY) {
    assert.equal(errorOf(rawRequest(none, { type, version: 1 })).code, CODE.UNKNOWN_REQUEST);
    if (type === 0x47) continue;
    assert.equal(errorOf(rawRequest(none, { type, version: 2 })).code, CODE.INVALID_REQUEST);
  }
});

Deno.test("who waits for no reply gets none, unless nothing of the frame can be believed", () => {
  const none = new Uint8Array(0);
  const broken = [
    rawRequest(none, { type: 0x05, flags: FLAG.async }),
    rawRequest(none, { type: 0x7f, flags: FLAG.async }),
    rawRequest(none, { type: 0x05, version: 3, flags: FLAG.async }),
  ];
  for (const bytes of broken) {
    const { requestId, ends } = errorOf(bytes);
    assert.deepEqual([requestId, ends], [undefined, false]);
  }
  const bent = rawRequest(none, { type: 0x07, flags: FLAG.async });
  (bent[bent.length - 1] as number) ^= 1;
  assert.equal(errorOf(bent).requestId, 77);
});

Deno.test("ids are whole 64 bits", () => {
  for (const id of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.equal(readRequest(bodyOf(requestFrame(id, "healthCheck", {}))).id, id);
    const reply = replyFrame(id, "deleteRecords", 2, { start: 0 });
    assert.equal(readReplyHead(bodyOf(reply)).id, id);
  }
});

Deno.test("an offset beyond all that can be is a place beyond all that is there", () => {
  const topic = [0, 0, 0, 1, 0x74, 0, 0, 0, 0];
  const fetch = (offset: number[]): Request =>
    readRequest(rawRequest(Uint8Array.from([...topic, ...offset, 0, 0, 0, 1]), {
      type: 2,
      version: 1,
    }));
  for (const offset of [[0x7f, 255, 255, 255, 255, 255, 255, 255], [0, 0x20, 0, 0, 0, 0, 0, 0]]) {
    const { body } = fetch(offset);
    assert.equal("offset" in body && body.offset, Number.MAX_SAFE_INTEGER);
  }
});

Deno.test("what cannot be written is refused, and nothing of it stays in the writer", () => {
  const writer = new FrameWriter();
  writeRequest(writer, 1, "healthCheck", {});
  const { length } = writer;
  const partition = { topic: "t", partition: 0 };
  const wanted = { ...partition, offset: 0, maxBytes: 1, minBytes: 0, maxWaitMs: 0, codec: 0 };
  const huge = { count: 1, bytes: new Uint8Array(MAX_FRAME_BYTES) };
  const batch = { ...partition, acks: -1, timeoutMs: 0, producer: undefined, codec: 0 };
  const wrong = {
    "a partition below 0": () =>
      writeRequest(writer, 1, "getOffset", { ...partition, partition: -1 }),
    "half an offset": () => writeRequest(writer, 1, "fetch", { ...wanted, offset: 0.5 }),
    "an offset of -3": () => writeRequest(writer, 1, "fetch", { ...wanted, offset: -3 }),
    "a wait in version 1": () =>
      writeRequest(writer, 1, "fetch", { ...wanted, maxWaitMs: 5 }, { version: 1 }),
    "a kind that version 1 has not": () =>
      writeRequest(writer, 1, "metadata", { topics: [] }, { version: 1 }),
    "a version that is none": () => writeRequest(writer, 1, "healthCheck", {}, { version: 3 }),
    "no messages": () =>
      writeRequest(writer, 1, "produce", {
        ...batch,
        messages: { count: 0, bytes: new Uint8Array(0) },
      }),
    "more than a frame holds": () =>
      writeRequest(writer, 1, "produce", { ...batch, messages: huge }),
    "a reply of more than a frame holds": () =>
      writeReply(writer, 1, "fetch", 2, { highWaterMark: 1, codec: 0, messages: huge }),
    "an error of more than a frame holds": () =>
      writeError(writer, 1, CODE.STORAGE_ERROR, "x".repeat(MAX_FRAME_BYTES)),
  };
  for (const [name, write] of Object.entries(wrong)) {
    assert.throws(write, RangeError, name);
    assert.equal(writer.length, length, name);
  }
});

Deno.test("a frame may take 10 MiB with its length, and not a byte more", () => {
  // All of a reply to a fetch but the bytes of its messages.
  const overhead = 4 + 8 + 1 + 2 + 8 + 4 + 4;
  const of = (bytes: number) =>
    replyFrame(1, "fetch", 2, {
      highWaterMark: 1,
      codec: 0,
      messages: { count: 1, bytes: new Uint8Array(bytes) },
    });
  assert.equal(of(MAX_FRAME_BYTES - overhead).length, MAX_FRAME_BYTES);
  assert.throws(() => of(MAX_FRAME_BYTES - overhead + 1), RangeError);
});

Deno.test("random requests and replies come back as they were, and alone or one after the other", () => {
  const random = new RandomFrames(new SeededRandom(SEED));
  const writer = new FrameWriter(16);
  for (let round = 0; round < 5_000; round++) {
    const { kind, version, flags: own } = random.kind();
    const id = random.near(0, Number.MAX_SAFE_INTEGER);
    const flags = random.below(0x1_0000) & ~FLAG.compressed | own;
    const body = random.request(kind, version, flags);
    const reply = random.reply(kind, version, flags);
    writer.reset();
    writeRequest(writer, id, kind, body, { version, flags });
    const end = writer.length;
    writeReply(writer, id, kind, version, reply, flags);
    const bytes = writer.finish();
    assert.deepEqual(
      readRequest(bytes.subarray(4, end)),
      { kind, id, version, flags, body },
      `seed ${SEED}`,
    );
    const head = readReplyHead(bytes.subarray(end + 4));
    assert.equal(head.id, id);
    assert.deepEqual(readReply(head.payload, kind, version, flags), reply, `seed ${SEED}`);
  }
});

Deno.test("any bytes are a request or the one error, and a request is its bytes again", () => {
  const source = new SeededRandom(SEED);
  const random = new RandomFrames(source);
  let requests = 0;
  for (let round = 0; round < 20_000; round++) {
    const { kind, version, flags } = random.kind();
    const body = random.request(kind, version, flags);
    const frame = requestFrame(round, kind, body, { version, flags });
    const bent = mutated(source, bodyOf(frame));
    const bytes = bent.length >= 16 && round % 4 > 0 ? checked(bent) : bent;
    try {
      const { id, kind, body, version, flags } = readRequest(bytes);
      const again = requestFrame(id, kind, body as Requests[typeof kind], { version, flags });
      // Places beyond 2^53, and the epoch of nobody, are not kept.
      if (kind !== "produce" && kind !== "fetch" && kind !== "deleteRecords") {
        assert.deepEqual(bodyOf(again), bytes, `seed ${SEED}`);
      }
      requests++;
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
    }
  }
  assert.ok(requests > 1_000, `${requests} requests`);
});

Deno.test("any payload is a reply or the one error, and none takes memory by what it claims", () => {
  const source = new SeededRandom(SEED);
  const random = new RandomFrames(source);
  let replies = 0;
  for (let round = 0; round < 20_000; round++) {
    const { kind, version, flags } = random.kind();
    const frame = replyFrame(1, kind, version, random.reply(kind, version, flags), flags);
    const payload = mutated(source, readReplyHead(bodyOf(frame)).payload);
    try {
      readReply(payload, kind, version, flags);
      replies++;
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
    }
  }
  assert.ok(replies > 1_000, `${replies} replies`);
  const claims = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0);
  assert.throws(() => readReply(claims, "listTopics"), {
    name: "PayloadError",
    message: "4294967295 items in 8 bytes",
  });
  for (const kind of ["listTopics", "fetchOffsets", "commitOffsets", "metadata"] as const) {
    assert.throws(() => readReply(claims, kind), PayloadError, kind);
  }
  assert.throws(() => readError(claims), PayloadError);
});

Deno.test("a reply whose checksum is wrong, or that is too short, ends the connection", () => {
  for (const { hex } of REPLIES) {
    const bytes = fromHex(hex);
    (bytes[12] as number) ^= 4;
    assert.throws(() => readReplyHead(bytes), (error) => error instanceof FrameError && error.ends);
  }
  for (const bytes of [fromHex(BROKEN.killer), new Uint8Array(14)]) {
    assert.throws(() => readReplyHead(bytes), (error) => error instanceof FrameError && error.ends);
  }
});

Deno.test("lengths that no frame has end the connection, before a byte of the frame is there", () => {
  const splitters = [["request", requestSplitter, 16], ["reply", replySplitter, 15]] as const;
  for (const [name, splitter, least] of splitters) {
    for (const length of [0, 4, least - 1, MAX_FRAME_BYTES + 1, 0xffff_ffff]) {
      const bytes = new Uint8Array(4);
      putU32(bytes, 0, length);
      const parser = splitter(() => assert.fail("No frame was expected"));
      assert.throws(() => parser.push(bytes), (error) => {
        assert.ok(error instanceof FrameError);
        return error.ends && error.requestId === undefined;
      }, `${name} ${length}`);
    }
    let frames = 0;
    const parser = splitter(({ length }) => frames += length === least ? 1 : 0);
    const bytes = new Uint8Array(4 + least);
    putU32(bytes, 0, least);
    for (const byte of bytes) parser.push(Uint8Array.of(byte));
    parser.push(bytes);
    assert.equal(frames, 2, name);
    putU32(bytes, 0, MAX_FRAME_BYTES);
    parser.push(bytes);
    assert.equal(parser.pending, bytes.length);
  }
});
