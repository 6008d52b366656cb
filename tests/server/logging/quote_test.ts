/**
 * Quoted bytes in logs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { quoteBytes } from "../../../server/logging/quote.ts";

Deno.test("quoteBytes() shows bytes as Go does", () => {
  const quoted = (text: string) => quoteBytes(new TextEncoder().encode(text));
  assert.equal(quoteBytes(null), '""');
  assert.equal(quoted("v1.2 ünï"), '"v1.2 ünï"');
  assert.equal(quoted('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(quoted("\n\t\r\x07\x00\x7f\x1b"), '"\\n\\t\\r\\a\\x00\\x7f\\x1b"');
  assert.equal(quoted("\u2028\u200b\u{e0001}"), '"\\u2028\\u200b\\U000e0001"');
  assert.equal(quoteBytes(new Uint8Array([0xff, 0x61])), '"\\ufffda"');
});
