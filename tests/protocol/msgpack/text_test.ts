/**
 * Texts that come again and again, and others that share their place in the decoder's memory.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decode, encode, str } from "../../../protocol/msgpack/mod.ts";

/** What a text reads as after it was written. */
function again(text: string): string {
  return decode(str, encode(str, text, "gossip"));
}

Deno.test("texts of the same length, first, middle and last character are told apart", () => {
  const texts = Array.from({ length: 100 }, (_, i) => `node-${String(i).padStart(2, "0")}-a-web`);
  for (const text of [...texts, ...texts.toReversed(), ...texts]) assert.equal(again(text), text);
});

Deno.test("a text that is not ASCII never reads as one that came before", () => {
  for (const text of ["aaa", "é", "aa", "aéa", "aaaa", "", "a", "\u0000", "ÿ", "aaa"]) {
    assert.equal(again(text), text);
  }
  const latin1 = Uint8Array.of(0xa3, 0x61, 0xe9, 0x61);
  assert.equal(decode(str, latin1), "a\ufffda");
  assert.equal(again("aéa"), "aéa");
});

Deno.test("texts of every length around the bounds of the short ways read as they are", () => {
  for (let length = 0; length < 300; length++) {
    for (const text of ["x".repeat(length), "x".repeat(length) + "é", "é" + "x".repeat(length)]) {
      assert.equal(again(text), text);
      assert.deepEqual(
        encode(str, text, "rpc").slice(-length),
        encode(str, text, "gossip").slice(-length),
      );
    }
  }
});
