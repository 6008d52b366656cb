/**
 * Byte strings that share memory and nothing else.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Slab } from "../../protocol/slab.ts";

Deno.test("copies stay as they were, whatever is copied after them and written into others", () => {
  const slab = new Slab();
  const source = new Uint8Array(600);
  const copies: Uint8Array[] = [];
  for (let length = 0; length <= 600; length++) {
    source.fill(length % 251);
    copies.push(slab.copy(source.subarray(0, length)));
  }
  for (const [length, copy] of copies.entries()) {
    assert.equal(copy.length, length);
    assert.ok(copy.every((byte) => byte === length % 251), `${length} bytes`);
    copy.fill(255);
  }
});

Deno.test("small byte strings share buffers of 2 KiB, long ones have one each", () => {
  const slab = new Slab();
  const small = Array.from({ length: 100 }, () => slab.copy(new Uint8Array(100)));
  assert.equal(new Set(small.map(({ buffer }) => buffer)).size, 5);
  assert.ok(small.every(({ buffer }) => buffer.byteLength === 2_048));
  assert.equal(slab.copy(new Uint8Array(257)).buffer.byteLength, 257);
});

Deno.test("what is taken is zeros that nothing else is written into", () => {
  const slab = new Slab();
  for (const length of [0, 1, 100, 255, 256, 257, 2_000, 3]) {
    for (let i = 0; i < 20; i++) {
      const taken = slab.take(length);
      assert.equal(taken.length, length);
      assert.ok(taken.every((byte) => byte === 0), `${length} bytes`);
      taken.fill(255);
    }
  }
});
