/**
 * Texts that come again and again, and others that share their place in the decoder's memory.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KeyResponse } from "../../../cluster/serf/model/messages.ts";
import { AuthRequest, KeyRequest } from "../../../protocol/ipc/mod.ts";
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

/** The texts that are made for the decoder's memory while `work` runs. */
function remembered(work: () => void): string[] {
  const texts: string[] = [];
  const { fromCharCode } = String;
  String.fromCharCode = (...units) => {
    texts.push(fromCharCode(...units));
    return texts.at(-1) ?? "";
  };
  try {
    work();
  } finally {
    String.fromCharCode = fromCharCode;
  }
  return texts;
}

Deno.test("secrets read as texts in every spelling, and are not remembered", () => {
  const text = "s3cret-of-an-agent";
  const bytes = new TextEncoder().encode(text);
  const spellings = [
    Uint8Array.of(0xa0 + bytes.length, ...bytes),
    Uint8Array.of(0xc4, bytes.length, ...bytes),
    Uint8Array.of(0xdc, 0, bytes.length, ...bytes),
  ];
  const made = remembered(() => {
    for (const spelling of spellings) assert.equal(decode(secret, spelling), text);
    assert.equal(decode(secret, Uint8Array.of(0xc0)), "");
  });
  assert.deepEqual(made, []);
  assert.deepEqual(encode(secret, text, "rpc"), encode(str, text, "rpc"));
  const other = spellings[0] ?? assert.fail();
  assert.deepEqual(remembered(() => void decode(str, other)), [text], "which other texts are");
});

Deno.test("tokens and keys are secrets", () => {
  const check = <T>(codec: Codec<T>, body: T): void => {
    const made = remembered(() =>
      assert.deepEqual(decode(codec, encode(codec, body, "rpc")), body)
    );
    assert.deepEqual(made, []);
  };
  check(AuthRequest, { AuthKey: "a-token-not-seen-before" });
  const key = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";
  check(KeyRequest, { Key: key });
  check(KeyResponse, { Result: true, Message: "", Keys: [key], PrimaryKey: key });
});
