/**
 * Messages as they are compressed, by what was made by others.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CODEC } from "../../../protocol/topics/codes.ts";
import { deflateSync } from "node:zlib";
import { inflate, inflateShort } from "../../../protocol/topics/zlib/compression.ts";

const KIB = 1024;

/** Bits of eight blocks that become nothing, each with two codes of its own that take long to be built: 90 bytes. */
function emptyBlocks(): Uint8Array {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let i = 0; i < count; i++) bits.push(value >> i & 1);
  };
  for (let i = 0; i < 8; i++) {
    // Not the last one, of codes of its own: 257 for bytes and the end, 1 for distances, by 18 lengths.
    for (const [value, count] of [[0, 1], [2, 2], [0, 5], [0, 5], [14, 4]] as const) {
      put(value, count);
    }
    // One bit each for "many zeros" and "1".
    for (let at = 0; at < 18; at++) put(at === 2 || at === 17 ? 1 : 0, 3);
    // 138 and 118 bytes without a code, one bit for the end and for the distance; and the end.
    for (const [value, count] of [[1, 1], [127, 7], [1, 1], [107, 7], [0, 3]] as const) {
      put(value, count);
    }
  }
  return Uint8Array.from(
    { length: bits.length / 8 },
    (_, i) => bits.slice(8 * i, 8 * i + 8).reduce((byte, bit, at) => byte | bit << at, 0),
  );
}

Deno.test("what takes long and becomes nothing is inflated piece by piece as well", async () => {
  const blocks = emptyBlocks();
  const count = Math.floor(256 * KIB / blocks.length);
  const bytes = new Uint8Array(2 + count * blocks.length + 6);
  bytes.set([0x78, 0x01]);
  for (let i = 0; i < count; i++) bytes.set(blocks, 2 + i * blocks.length);
  bytes.set([3, 0, 0, 0, 0, 1], 2 + count * blocks.length);
  let pauses = 0;
  const inflated = await inflate(CODEC.deflate, bytes, 1024 * KIB, async () => {
    pauses++;
    await new Promise((resolve) => setTimeout(resolve, 0));
  });
  assert.equal(inflated.length, 0);
  assert.ok(pauses >= 7, `${pauses} pauses`);
});

Deno.test("what is inflated is plain bytes, whether at once or piece by piece", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const packed = deflateSync(bytes);
  const pause = () => Promise.resolve();
  for (
    const inflated of [
      inflateShort(CODEC.deflate, packed, KIB),
      await inflate(CODEC.deflate, packed, KIB, pause),
    ]
  ) {
    assert.deepEqual(inflated, bytes);
    assert.equal(inflated?.constructor, Uint8Array);
  }
});
