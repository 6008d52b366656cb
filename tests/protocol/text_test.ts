/**
 * Every byte string is a text, every text of others is its bytes again, and no two byte strings are one text.
 *
 * @module
 */

import assert from "node:assert/strict";
import { byteOrder } from "../../protocol/byte_order.ts";
import {
  decode,
  decodeValue,
  encode,
  encodeValue,
  secret,
  str,
} from "../../protocol/msgpack/mod.ts";
import {
  asRead,
  decodeUtf8,
  encodeUtf8,
  fitsUtf8,
  isUtf8,
  showBytes,
  utf8Length,
} from "../../protocol/text.ts";
import { randomByteStrings } from "../support/byte_strings.ts";

/** All byte strings of up to two bytes. */
function* shortOnes(): Generator<Uint8Array> {
  yield new Uint8Array(0);
  for (let first = 0; first < 256; first++) {
    yield Uint8Array.of(first);
    for (let second = 0; second < 256; second++) yield Uint8Array.of(first, second);
  }
}

Deno.test("every byte string up to two bytes, and random longer ones, come back as they were", () => {
  for (const bytes of [...shortOnes(), ...randomByteStrings(3_000)]) {
    const text = decodeUtf8(bytes);
    assert.deepEqual(encodeUtf8(text), bytes);
    assert.equal(utf8Length(text), bytes.length);
    assert.ok(fitsUtf8(text, bytes.length));
    assert.ok(bytes.length === 0 || !fitsUtf8(text, bytes.length - 1));
    assert.equal(asRead(text), text);
  }
  const short = [...shortOnes()];
  assert.equal(new Set(short.map(decodeUtf8)).size, short.length);
});

Deno.test("every byte string comes through MessagePack in both dialects", () => {
  for (const bytes of [...shortOnes(), ...randomByteStrings(2_000)]) {
    const text = decodeUtf8(bytes);
    for (const dialect of ["gossip", "rpc"] as const) {
      const written = encode(str, text, dialect);
      assert.equal(decode(str, written), text);
      assert.equal(decode(secret, written), text);
      assert.equal(decodeValue(encodeValue(text, dialect)), text);
    }
    // What a peer writes as bytes is the same.
    assert.deepEqual(encode(str, text, "gossip"), encodeValue(bytes, "gossip"));
  }
});

Deno.test("valid UTF-8 reads as TextDecoder reads it", () => {
  const valid = [
    "",
    "a",
    "\ufffd",
    "\ufeffa",
    "é\ufffd漢😀\u{10ffff}\ud7ff\ue000",
    "é".repeat(9_000),
  ];
  for (const text of valid) {
    assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
    assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
  }
});

Deno.test("bytes that are no UTF-8 are told from the characters around them", () => {
  const cases: [string, string][] = [
    ["636166e9", "caf\udce9"],
    ["c3a9e9c3a9", "é\udce9é"],
    ["efbfbdff", "\ufffd\udcff"],
    ["eda080", "\udced\udca0\udc80"], // a surrogate
    ["c080", "\udcc0\udc80"], // too long a form
    ["f09f98", "\udcf0\udc9f\udc98"], // cut off
    ["f4908080", "\udcf4\udc90\udc80\udc80"], // beyond the last character
    ["f09f9880e9", "😀\udce9"],
  ];
  for (const [hex, text] of cases) assert.equal(decodeUtf8(Uint8Array.fromHex(hex)), text);
});

Deno.test("isUtf8() says what a decoder says of every byte string up to two bytes, and of longer ones around the bounds", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const bounds = [
    0x41,
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc2,
    0xe0,
    0xef,
    0xf4,
    0xff,
  ];
  const check = (...bytes: number[]): void => {
    const padded = Uint8Array.of(0x80, ...bytes, 0x80);
    let expected = true;
    try {
      decoder.decode(padded.subarray(1, -1));
    } catch {
      expected = false;
    }
    assert.equal(isUtf8(padded, 1, 1 + bytes.length), expected, `${bytes}`);
  };
  check();
  for (let a = 0; a < 256; a++) {
    check(a);
    for (let b = 0; b < 256; b++) check(a, b);
    if (a < 0xbf) continue;
    for (const b of bounds) {
      for (const c of bounds) {
        check(a, b, c);
        if (a >= 0xef) { for (const d of bounds) check(a, b, c, d); }
      }
    }
  }
});

Deno.test("halves of characters that stand for no byte are written as U+FFFD", () => {
  for (const half of ["\ud800", "\udbff", "\udc7f", "\udd00", "\udfff"]) {
    assert.deepEqual(encodeUtf8(`a${half}`), new TextEncoder().encode("a\ufffd"));
    assert.equal(utf8Length(`a${half}`), 4);
    assert.deepEqual(encode(str, `a${half}`, "rpc"), encode(str, "a\ufffd", "rpc"));
    assert.equal(asRead(`a${half}`), "a\ufffd");
  }
  assert.equal(asRead("\udcc3\udca9"), "é");
});

Deno.test("byteOrder() sorts by bytes, also those that are no UTF-8", () => {
  const all = [...shortOnes(), ...randomByteStrings(500)];
  for (let i = 1; i < all.length; i++) {
    const [a, b] = [all[i - 1], all[i * 7_919 % all.length]] as [Uint8Array, Uint8Array];
    const sign = Math.sign(byteOrder(decodeUtf8(a), decodeUtf8(b)));
    assert.equal(sign, a.toHex() < b.toHex() ? -1 : a.toHex() > b.toHex() ? 1 : 0);
  }
});

Deno.test("showBytes() shows invalid bytes and leaves text alone", () => {
  assert.equal(showBytes("caf\udce9 café 😀\udc80"), "caf\\xe9 café 😀\\x80");
  assert.equal(showBytes("a\ud800"), "a\ufffd");
});
