/**
 * Texts that come again and again, and others that share their place in the decoder's memory.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KeyResponse as KeyAnswer } from "../../../cluster/serf/model/messages.ts";
import { AuthRequest, KeyRequest, KeyResponse } from "../../../protocol/ipc/mod.ts";
import { type Codec, decode, encode, secret, str } from "../../../protocol/msgpack/mod.ts";

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
  assert.equal(decode(str, latin1), "a\udce9a");
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

/** Runs `body` and counts the texts that it added to those remembered: only these are made from character codes. */
function remembered(body: () => void): number {
  const { fromCharCode } = String;
  let count = 0;
  String.fromCharCode = (...units) => (count++, fromCharCode(...units));
  try {
    body();
  } finally {
    String.fromCharCode = fromCharCode;
  }
  return count;
}

Deno.test("tokens and keys are read like any text, and none is remembered", () => {
  const spellings = ["a774306b656e2d31", "c40774306b656e2d31", "9774306b656e2d31", "c0", "a161"];
  for (const hex of spellings) {
    const spelt = Uint8Array.fromHex(hex);
    assert.equal(remembered(() => decode(secret, spelt)), 0);
    assert.equal(decode(secret, spelt), decode(str, spelt));
  }
  assert.throws(() => decode(secret, Uint8Array.of(7)), { message: /a string/ });
  const key = "uLtDNi8tPpHg0hGm3Iqz3w==";
  const bodies: [Codec<unknown>, unknown][] = [
    [AuthRequest, { AuthKey: "a-token-nobody-else-has" }],
    [KeyRequest, { Key: key }],
    [KeyResponse, { Messages: null, Keys: { [key]: 3 }, NumNodes: 3, NumErr: 0, NumResp: 3 }],
    [KeyAnswer, { Result: true, Message: "", Keys: [key], PrimaryKey: key }],
  ] as [Codec<unknown>, unknown][];
  for (const [codec, value] of bodies) {
    const bytes = encode(codec, value, "rpc");
    assert.equal(remembered(() => assert.deepEqual(decode(codec, bytes), value)), 0);
  }
  const other = encode(str, "some text that was never here", "rpc");
  assert.equal(remembered(() => decode(str, other)), 1);
});
