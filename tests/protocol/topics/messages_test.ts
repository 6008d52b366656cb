/**
 * Messages of topics as programs have them, and their bytes.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  FrameWriter,
  type Message,
  messageBytes,
  PayloadError,
  readMessages,
  writeMessage,
} from "../../../protocol/topics/mod.ts";
import { mutated } from "../../support/mutate.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { RandomFrames } from "../../support/topics/random_frames.ts";
import { MESSAGE } from "./vectors.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const EMPTY = new Uint8Array(0);

function encoded(messages: readonly Message[], nulls: boolean): Uint8Array<ArrayBuffer> {
  const writer = new FrameWriter(16);
  for (const message of messages) writeMessage(writer, message, nulls);
  return writer.finish();
}

Deno.test("random messages come back as they were, and take the bytes that they are said to", () => {
  const random = new RandomFrames(new SeededRandom(SEED));
  for (let round = 0; round < 2_000; round++) {
    const nulls = round % 2 === 0;
    const messages = Array.from({ length: random.below(6) }, () => random.message(nulls));
    const bytes = encoded(messages, nulls);
    assert.deepEqual(readMessages({ count: messages.length, bytes }, nulls), messages);
    assert.equal(bytes.length, messages.reduce((sum, one) => sum + messageBytes(one), 0));
  }
});

Deno.test("timestamps are whole 64 bits with a sign, and headers keep their order and repetitions", () => {
  for (const timestamp of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 1_800_000_000_123_456_789n]) {
    const headers = [["b", EMPTY], ["a", Uint8Array.of(1)], ["b", Uint8Array.of(2)]] as const;
    const message = { ...MESSAGE, timestamp, headers };
    assert.deepEqual(readMessages({ count: 1, bytes: encoded([message], true) }, true), [message]);
  }
});

Deno.test("null and empty are two things where nulls are known, and one where they are not", () => {
  const messages = [
    { ...MESSAGE, key: null, value: EMPTY },
    { ...MESSAGE, key: EMPTY, value: null },
  ];
  const second = { count: 2, bytes: encoded(messages, true) };
  assert.deepEqual(readMessages(second, true), messages);
  assert.throws(() => readMessages(second, false), PayloadError);
  const first = { count: 2, bytes: encoded(messages, false) };
  const absent = { ...MESSAGE, key: null, value: null };
  assert.deepEqual(readMessages(first, false), [absent, absent]);
});

Deno.test("bytes that are no messages are refused, whatever they claim", () => {
  const source = new SeededRandom(SEED);
  const random = new RandomFrames(source);
  let read = 0;
  for (let round = 0; round < 10_000; round++) {
    const { count, bytes } = random.messages(0, true);
    try {
      readMessages(
        { count: count + (round % 7 === 0 ? 1 : 0), bytes: mutated(source, bytes) },
        true,
      );
      read++;
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
    }
  }
  assert.ok(read > 500, `${read} read`);
  const claims = encoded([MESSAGE], true);
  claims.fill(0xff, 24, 28);
  assert.throws(() => readMessages({ count: 1, bytes: claims }, false), PayloadError);
  assert.throws(() => readMessages({ count: 0xffff_ffff, bytes: EMPTY }, true), PayloadError);
});
