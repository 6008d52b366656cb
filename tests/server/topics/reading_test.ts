/**
 * Messages that were read, and the memory in which they stand.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FETCHED_AT } from "../../../protocol/topics/mod.ts";
import { Buffers } from "../../../server/topics/buffers.ts";
import { compact, NO_MESSAGES } from "../../../server/topics/reading.ts";

Deno.test("few messages that are kept do not keep a large buffer, which goes to others", () => {
  const buffers = new Buffers(1024 * 1024);
  const large = buffers.take(512 * 1024);
  const text = new TextEncoder().encode("messages");
  large.set(text, FETCHED_AT);
  const bytes = large.subarray(FETCHED_AT, FETCHED_AT + text.length);
  const kept = compact({ count: 1, bytes, buffer: large }, buffers);
  assert.equal(buffers.take(512 * 1024), large);
  large.fill(0);
  assert.equal(kept.count, 1);
  assert.deepEqual(kept.bytes, text);
  assert.deepEqual([kept.bytes.buffer, kept.bytes.byteOffset], [kept.buffer?.buffer, FETCHED_AT]);
  assert.equal(kept.buffer?.length, FETCHED_AT + text.length + 4);
});

Deno.test("where there are no messages nothing is kept", () => {
  assert.equal(compact(NO_MESSAGES, new Buffers(0)), NO_MESSAGES);
});
