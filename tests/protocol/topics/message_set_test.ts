/**
 * Encoded messages, beside a second codec.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  checkMessages,
  cutMessages,
  emptyNulls,
  getHalves,
  type Halves,
  MESSAGE_OVERHEAD_BYTES,
  messageEnd,
  nanosecondsOf,
  putHalves,
  stampMessages,
} from "../../../protocol/topics/message_set.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import {
  decodeMessages,
  encodeMessages,
  messageOf,
  randomMessage,
} from "../../support/topics/messages.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

function bigOf({ high, low }: Halves): bigint {
  return (BigInt(high) << 32n) + BigInt(low);
}

function halvesOf(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(value & 0xffffffffn) };
}

Deno.test("messages of any kind are known, stamped and walked over", () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 500; round++) {
    const withNulls = round % 2 === 0;
    const messages = Array.from(
      { length: 1 + below(random, 6) },
      () => randomMessage(random, withNulls),
    );
    const bytes = encodeMessages(messages);
    const sizes = messages.map((message) => encodeMessages([message]).length);
    const hasNulls = messages.some(({ key, value }) => key === null || value === null);
    const checked = checkMessages(bytes, messages.length, withNulls);
    assert.deepEqual(checked, { hasNulls, longest: Math.max(...sizes) }, `seed ${SEED}`);
    if (hasNulls) assert.equal(typeof checkMessages(bytes, messages.length, false), "string");

    const base = below(random, 2 ** 40);
    const time = 1_790_000_000_123_000_000n;
    const whole = Uint8Array.of(1, 2, 3, ...bytes);
    const greatest = stampMessages(whole, 3, base, halvesOf(time));
    const expected = messages.map((message, i) => ({
      ...message,
      offset: BigInt(base + i),
      timestamp: message.timestamp === 0n ? time : message.timestamp,
    }));
    assert.deepEqual(decodeMessages(whole.subarray(3)), expected, `seed ${SEED}`);
    const times = expected.map(({ timestamp }) => timestamp);
    assert.equal(bigOf(greatest), times.reduce((a, b) => a > b ? a : b), `seed ${SEED}`);
    let at = 3;
    for (const size of sizes) assert.equal(messageEnd(whole, at), at += size);
  }
});

Deno.test("bytes that are not so many messages are none, and say why", () => {
  const two = encodeMessages([
    messageOf("a", { headers: [["n", Uint8Array.of(1)]] }),
    messageOf("bc"),
  ]);
  for (let end = 0; end < two.length; end++) {
    assert.equal(typeof checkMessages(two.subarray(0, end), 2, true), "string", `at ${end}`);
  }
  const first = two.length - MESSAGE_OVERHEAD_BYTES - 2;
  assert.equal(checkMessages(two.subarray(0, first + 8), 2, true), "47 bytes are no 2 messages");
  assert.equal(checkMessages(two.subarray(0, -1), 2, true), "Message 2 is not whole");
  assert.equal(checkMessages(two, 1, true), "30 bytes follow the last message");
  assert.equal(checkMessages(two, 3, true), "69 bytes are no 3 messages");
  assert.equal(checkMessages(two, 0xffffffff, true), "69 bytes are no 4294967295 messages");
  const patched = (at: number, ...bytes: number[]) => {
    const copy = two.slice();
    copy.set(bytes, at);
    return checkMessages(copy, 2, false);
  };
  for (const at of [16, 20, 25, 29, 34]) {
    assert.equal(patched(at, 0xff, 0xff, 0xff, 0xff), "Message 1 is not whole", `at ${at}`);
    assert.equal(patched(at, 0x7f), "Message 1 is not whole", `at ${at}`);
  }
  assert.equal(patched(33, 0x80), "A header of message 1 has a name that is no UTF-8");
  assert.deepEqual(checkMessages(new Uint8Array(), 0, false), { hasNulls: false, longest: 0 });
});

Deno.test("a hundred thousand headers are checked in milliseconds, whatever their names", () => {
  const took = (name: string): number => {
    const headers = Array.from({ length: 100_000 }, () => [name, new Uint8Array()] as const);
    const bytes = encodeMessages([messageOf("v", { headers })]);
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now();
      assert.equal(typeof checkMessages(bytes, 1, true), "object");
      return performance.now() - started;
    });
    return Math.min(...times);
  };
  const [plain, other] = [took("ee"), took("é")];
  assert.ok(other < 10 * plain + 5, `${other} ms in place of ${plain} ms`);
});

Deno.test("any bytes give messages or a reason", () => {
  const random = new SeededRandom(SEED, 1);
  for (let round = 0; round < 3_000; round++) {
    const count = 1 + below(random, 3);
    const bytes = encodeMessages(Array.from({ length: count }, () => randomMessage(random, true)));
    for (let left = below(random, 4); left > 0; left--) {
      bytes[below(random, bytes.length)] = [0, 1, 0xff, random.uint32()][below(random, 4)] ?? 0;
    }
    const cut = bytes.subarray(0, bytes.length - below(random, 2) * below(random, bytes.length));
    const checked = checkMessages(cut, count, true);
    let decoded: unknown[] | undefined;
    try {
      decoded = decodeMessages(cut);
    } catch (error) {
      // A name that is no UTF-8, or a length beyond the end.
      assert.ok(error instanceof RangeError || error instanceof TypeError);
    }
    assert.equal(typeof checked === "string", decoded?.length !== count, `seed ${SEED}`);
  }
});

Deno.test("messages are cut by their number and by bytes", () => {
  const messages = ["a", "bb", "ccc", "dddd"].map((value) => messageOf(value));
  const bytes = Uint8Array.of(7, 7, ...encodeMessages(messages));
  const cut = (skip: number, room: number, atLeastOne = false) => {
    const { start, end, count } = cutMessages(bytes, 2, { skip, room, atLeastOne });
    const found = decodeMessages(bytes.subarray(start, end));
    assert.equal(found.length, count);
    return found.map(({ value }) => new TextDecoder().decode(value as Uint8Array));
  };
  assert.deepEqual(cut(0, 1_000), ["a", "bb", "ccc", "dddd"]);
  assert.deepEqual(cut(2, 1_000), ["ccc", "dddd"]);
  assert.deepEqual(cut(1, 30 + 31), ["bb", "ccc"]);
  assert.deepEqual(cut(1, 30 + 30), ["bb"]);
  assert.deepEqual(cut(1, 29), []);
  assert.deepEqual(cut(1, 29, true), ["bb"]);
  assert.deepEqual(cut(4, 1_000, true), []);
  assert.deepEqual(cut(9, 1_000, true), []);
});

Deno.test("what is null becomes empty for who knows no null", () => {
  const random = new SeededRandom(SEED, 2);
  for (let round = 0; round < 200; round++) {
    const messages = Array.from({ length: 3 }, () => randomMessage(random, true));
    const bytes = Uint8Array.of(...encodeMessages(messages), 0xff, 0xff);
    emptyNulls(bytes, 0, bytes.length - 2);
    const expected = messages.map((message) => ({
      ...message,
      key: message.key ?? new Uint8Array(),
      value: message.value ?? new Uint8Array(),
    }));
    assert.deepEqual(decodeMessages(bytes.subarray(0, -2)), expected, `seed ${SEED}`);
  }
});

Deno.test("milliseconds become nanoseconds exactly, at most the greatest timestamp", () => {
  const exact = [0, 1, 4_294, 4_295, 2 ** 32 - 1, 2 ** 32, 1_790_000_000_123, 9_223_372_036_854];
  for (const ms of exact) assert.equal(bigOf(nanosecondsOf(ms)), BigInt(ms) * 1_000_000n);
  const most = 9_223_372_036_854n * 1_000_000n;
  assert.equal(bigOf(nanosecondsOf(Number.MAX_SAFE_INTEGER)), most);
});

Deno.test("halves come back as they were put", () => {
  for (const value of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x1234_5678_9abc_def0n]) {
    const bytes = new Uint8Array(9);
    putHalves(bytes, 1, halvesOf(value));
    assert.equal(new DataView(bytes.buffer).getBigInt64(1), value);
    assert.deepEqual(getHalves(bytes, 1), halvesOf(value));
  }
});
