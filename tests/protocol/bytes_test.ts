import assert from "node:assert/strict";
import {
  compareBytes,
  concatBytes,
  equalBytes,
  getU32,
  getU64,
  NO_BYTES,
  putU32,
  putU64,
} from "../../protocol/bytes.ts";

Deno.test("concatBytes() joins in order and does not copy a single part", () => {
  const one = Uint8Array.of(1, 2);
  assert.deepEqual(concatBytes([one, NO_BYTES, Uint8Array.of(3)]), Uint8Array.of(1, 2, 3));
  assert.deepEqual(concatBytes([]), NO_BYTES);
  assert.equal(concatBytes([one]), one);
});

Deno.test("equalBytes() compares what is there, whatever memory it stands in", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.equal(equalBytes(bytes, Uint8Array.of(0, 1, 2, 3).subarray(1)), true);
  assert.equal(equalBytes(bytes, Uint8Array.of(1, 2, 4)), false);
  assert.equal(equalBytes(bytes, bytes.subarray(0, 2)), false);
  assert.equal(equalBytes(bytes.subarray(0, 2), bytes), false);
  assert.equal(equalBytes(NO_BYTES, new Uint8Array(0)), true);
});

Deno.test("byte strings are in the order of their bytes, shorter ones first", () => {
  const ordered = [[], [0], [0, 0], [0, 1], [1], [127, 255], [128], [255]].map((b) =>
    Uint8Array.from(b)
  );
  ordered.forEach((a, i) =>
    ordered.forEach((b, j) => assert.equal(Math.sign(compareBytes(a, b)), Math.sign(i - j)))
  );
});

Deno.test("unsigned integers come back, the highest byte first", () => {
  const bytes = new Uint8Array(10);
  for (const value of [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1]) {
    putU32(bytes, 1, value);
    assert.equal(getU32(bytes, 1), value);
    assert.equal(new DataView(bytes.buffer).getUint32(1), value);
  }
  for (const value of [0, 2 ** 31, 2 ** 32, 2 ** 48 + 5, Number.MAX_SAFE_INTEGER]) {
    putU64(bytes, 1, value);
    assert.equal(getU64(bytes, 1), value);
    assert.equal(new DataView(bytes.buffer).getBigUint64(1), BigInt(value));
  }
});
