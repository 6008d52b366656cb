import assert from "node:assert/strict";
import { concatBytes, equalBytes, NO_BYTES } from "../../protocol/bytes.ts";

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
