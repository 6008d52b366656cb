/**
 * Which memory is used again for the next answer.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffers } from "../../../server/topics/buffers.ts";

const KIB = 1024;

Deno.test("a buffer that comes back is given again to who wants about as much", () => {
  const buffers = new Buffers(1024 * KIB);
  const buffer = buffers.take(100 * KIB);
  assert.ok(buffer.length >= 100 * KIB);
  assert.notEqual(buffers.take(100 * KIB), buffer, "it is in use");
  buffers.give(buffer);
  assert.notEqual(buffers.take(200 * KIB), buffer, "it is too small");
  assert.notEqual(buffers.take(64 * KIB - 1), buffer, "so little is not worth it");
  assert.equal(buffers.take(101 * KIB), buffer);
  const large = buffers.take(512 * KIB);
  buffers.give(large);
  assert.notEqual(buffers.take(255 * KIB), large, "it would keep too much for so little");
  assert.equal(buffers.take(256 * KIB), large);
});

Deno.test("buffers that nobody uses hold bounded memory, and the oldest make room", () => {
  const buffers = new Buffers(256 * KIB);
  const given = Array.from({ length: 3 }, () => new Uint8Array(128 * KIB));
  for (const buffer of given) buffers.give(buffer);
  buffers.give(new Uint8Array(512 * KIB));
  const taken = given.map(() => buffers.take(128 * KIB));
  assert.deepEqual(given.map((buffer) => taken.includes(buffer)), [false, true, true]);
});
