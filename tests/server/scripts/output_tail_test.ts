import assert from "node:assert/strict";
import { OUTPUT_LIMIT, OutputTail } from "../../../server/scripts/output_tail.ts";

Deno.test("the last 8192 bytes are kept, in whatever pieces they come", () => {
  const all = Uint8Array.from({ length: 40_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  for (const sizes of [[1], [40_000], [8_192], [8_191, 2], [5_000, 3], [20_000, 1, 8_192]]) {
    const tail = new OutputTail();
    let at = 0;
    for (let i = 0; at < all.length; i++) {
      const size = sizes[i % sizes.length] ?? 1;
      tail.add(all.subarray(at, at + size));
      at += size;
      const seen = Math.min(at, all.length);
      if (i % 97 === 0 || at >= all.length) {
        assert.equal(tail.total, seen);
        assert.deepEqual(tail.bytes(), all.slice(Math.max(0, seen - OUTPUT_LIMIT), seen));
      }
    }
  }
});
