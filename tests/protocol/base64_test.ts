/**
 * Base64 as Go decodes it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Base64Error, decodeBase64 } from "../../protocol/base64.ts";

Deno.test("decodeBase64() undoes the encoding for every length", () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
    assert.deepEqual(decodeBase64(bytes.toBase64()), bytes);
  }
  assert.deepEqual(decodeBase64("AQ\nID\r\n"), new Uint8Array([1, 2, 3]));
});

Deno.test("decodeBase64() names the byte that Go names", () => {
  const offsets: Record<string, number> = {
    "!!": 0,
    "badkey": 4,
    "AAA": 0,
    "A": 0,
    "AA=": 3,
    "AA=A": 3,
    "AA==A": 4,
    "AAA=A": 4,
    "=AAA": 0,
    "A===": 1,
    "AAAA-AAA": 4,
    "AAAé": 3,
  };
  for (const [text, offset] of Object.entries(offsets)) {
    assert.throws(
      () => decodeBase64(text),
      new Base64Error(`illegal base64 data at input byte ${offset}`),
      text,
    );
  }
});
