/** The rows of docs/spec/agent.md 1.3 (column "0.11.0") and of docs/spec/memberlist.md 2.3, one test each. */

import assert from "node:assert/strict";
import {
  bool,
  bytes,
  type Codec,
  decode,
  DecodeError,
  encodeValue,
  f64,
  i32,
  i64,
  list,
  Reader,
  record,
  seq,
  str,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "../../../protocol/msgpack/mod.ts";

const Message = struct({ B: str, A: u8, Flag: bool });
const zero = { B: "", A: 0, Flag: false };

function accepts<T>(codec: Codec<T>, hex: string, expected: T): void {
  assert.deepEqual(decode(codec, Uint8Array.fromHex(hex)), expected, hex);
}

function refuses<T>(codec: Codec<T>, hex: string, message: RegExp = /./): void {
  assert.throws(() => decode(codec, Uint8Array.fromHex(hex)), (error) => {
    assert(error instanceof DecodeError);
    assert.match(error.message, message);
    return true;
  }, hex);
}

Deno.test("keys may come in any order and any map width", () => {
  const expected = { B: "x", A: 5, Flag: false };
  accepts(Message, "82a14105a142a178", expected);
  accepts(Message, "82a142a178a14105", expected);
  accepts(Message, "de0002a142a178a14105", expected);
  accepts(Message, "df00000002a142a178a14105", expected);
});

Deno.test("a string may be longer spelt than needed", () => {
  for (const hex of ["a178", "d90178", "da000178", "db0000000178"]) accepts(str, hex, "x");
});

Deno.test("keys and string values may be bin", () => {
  for (const key of ["c40142", "c5000142", "c60000000142", "d90142", "da000142"]) {
    accepts(Message, `81${key}c40178`, { ...zero, B: "x" });
    accepts(record(str), `81${key}c40178`, { B: "x" });
  }
});

Deno.test("a string may be an array of byte values", () => {
  accepts(str, "9361cc62d10063", "abc");
  refuses(str, "91cd0100", /from 0 to 255/);
  refuses(str, "91a161");
});

Deno.test("a byte string may be str, bin, an array of byte values or nil", () => {
  for (const hex of ["a20102", "d9020102", "da00020102", "c4020102", "c500020102", "920102"]) {
    accepts(bytes, hex, Uint8Array.of(1, 2));
  }
  accepts(bytes, "9201ccff", Uint8Array.of(1, 255));
  accepts(bytes, "a0", new Uint8Array(0));
  accepts(bytes, "c400", new Uint8Array(0));
  accepts(bytes, "90", new Uint8Array(0));
  accepts(bytes, "c0", null);
});

Deno.test("an integer may have any width and sign", () => {
  const spellings = ["07", "cc07", "cd0007", "ce00000007", "cf0000000000000007"];
  spellings.push("d007", "d10007", "d200000007", "d30000000000000007");
  for (const hex of spellings) {
    for (const codec of [u8, u16, u32, i32, seq] as Codec<number>[]) accepts(codec, hex, 7);
    accepts(u64, hex, 7n);
    accepts(i64, hex, 7n);
    accepts(f64, hex, 7);
  }
  for (const hex of ["fe", "d0fe", "d1fffe", "d2fffffffe", "d3fffffffffffffffe"]) {
    accepts(i32, hex, -2);
    accepts(i64, hex, -2n);
    accepts(f64, hex, -2);
  }
});

Deno.test("64-bit integers are exact", () => {
  accepts(u64, "cfffffffffffffffff", 2n ** 64n - 1n);
  accepts(i64, "d38000000000000000", -(2n ** 63n));
  accepts(i64, "cf7fffffffffffffff", 2n ** 63n - 1n);
  accepts(seq, "cf001fffffffffffff", 2 ** 53 - 1);
  accepts(seq, "cf0020000000000000", 2n ** 53n);
  accepts(seq, "cf0020000000000001", 2n ** 53n + 1n);
  accepts(seq, "d30020000000000001", 2n ** 53n + 1n);
});

Deno.test("integers out of the field's range are refused", () => {
  for (const hex of ["ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"]) {
    for (const codec of [u8, u16, u32, u64, seq] as Codec<unknown>[]) refuses(codec, hex, /from 0/);
  }
  refuses(u8, "cd012c", /from 0 to 255 at byte 0, got 300/);
  refuses(u16, "ce00010000");
  refuses(u32, "cf0000000100000000");
  refuses(i32, "ce80000000");
  refuses(i32, "d3ffffffff7fffffff");
  refuses(i64, "cf8000000000000000");
  refuses(Message, "81a141cd012c", /Field "A": .* got 300/);
});

Deno.test("a whole float is taken for an integer, which Go refuses and node-serf needs", () => {
  accepts(i64, "cb41e65a0bc0000000", 3_000_000_000n);
  accepts(u8, "ca3f800000", 1);
  accepts(seq, "cb4340000000000000", 2n ** 53n);
  accepts(u64, "cb4340000000000000", 2n ** 53n);
  refuses(u8, "cb3ff8000000000000", /an integer/);
  refuses(u8, "cbbff0000000000000");
  refuses(u64, "cb43f0000000000000");
  for (const notFinite of ["cb7ff0000000000000", "cb7ff8000000000000"]) refuses(u64, notFinite);
});

Deno.test("an integer is taken for a float, and float32 for float64", () => {
  accepts(f64, "05", 5);
  accepts(f64, "ca3fc00000", 1.5);
  accepts(f64, "cb3ff8000000000000", 1.5);
  accepts(f64, "cf0020000000000001", 2 ** 53);
  refuses(f64, "a131");
});

Deno.test("a bool may be 0 or 1 and no other integer", () => {
  for (const hex of ["c3", "01", "cc01", "d001", "cf0000000000000001"]) accepts(bool, hex, true);
  for (const hex of ["c2", "00", "d100" + "00", "c0"]) accepts(bool, hex, false);
  for (const hex of ["02", "ff", "cc02", "ca3f800000", "a474727565"]) {
    refuses(bool, hex, /a boolean/);
  }
});

Deno.test("unknown keys are skipped with whatever they hold", () => {
  const values = ["c0", "c3", "05", "e1", "cc80", "cdffff", "ceffffffff", "cf" + "ff".repeat(8)];
  values.push(
    "d080",
    "d18000",
    "d280000000",
    "d3" + "80".repeat(8),
    "ca3fc00000",
    "cb" + "3f".repeat(8),
  );
  values.push(
    "a3616263",
    "d90161",
    "da000161",
    "db0000000161",
    "c40161",
    "c5000161",
    "c60000000161",
  );
  values.push("9201a161", "dc00020102", "dd0000000101", "8101a161", "de00010102", "df000000010203");
  values.push(
    "d40101",
    "d5010102",
    "d60101020304",
    "d701" + "00".repeat(8),
    "d801" + "00".repeat(16),
  );
  values.push("c70201aabb", "c8000201aabb", "c90000000201aabb", "c70001", "81c081c09181c0c3");
  for (const value of values) {
    accepts(Message, `83a16e${value}a14107a3466f6f${value}`, { ...zero, A: 7 });
  }
});

Deno.test("a key of the wrong case is unknown", () => {
  accepts(Message, "82a16105a14107", { ...zero, A: 7 });
});

Deno.test("of two equal keys the last wins", () => {
  accepts(Message, "82a14105a14106", { ...zero, A: 6 });
  accepts(record(str), "82a161a178a161a179", { a: "y" });
});

Deno.test("missing and nil fields are zero", () => {
  accepts(Message, "80", zero);
  accepts(Message, "83a142c0a141c0a4466c6167c0", zero);
  const All = struct({
    a: u16,
    b: u64,
    c: i64,
    d: f64,
    e: bytes,
    f: list(str),
    g: record(u8),
    h: Message,
  });
  const zeros = { a: 0, b: 0n, c: 0n, d: 0, e: null, f: null, g: null, h: zero };
  accepts(All, "80", zeros);
  accepts(
    All,
    "88" + [..."abcdefgh"].map((c) => `a1${c.charCodeAt(0).toString(16)}c0`).join(""),
    zeros,
  );
});

Deno.test("every reading of a struct has nested zeros of its own", () => {
  const Outer = struct({ inner: struct({ n: u8 }) });
  const first = decode(Outer, Uint8Array.of(0x80));
  first.inner.n = 9;
  assert.deepEqual(decode(Outer, Uint8Array.of(0x80)), { inner: { n: 0 } });
});

Deno.test("readInto() keeps missing fields, zeroes nil ones and all of a nil struct", () => {
  const header = { B: "members", A: 7, Flag: true };
  const read = (hex: string) => {
    const target = { ...header };
    Message.readInto(new Reader(Uint8Array.fromHex(hex)), target);
    return target;
  };
  assert.deepEqual(read("80"), header);
  assert.deepEqual(read("81a14109"), { ...header, A: 9 });
  assert.deepEqual(read("81a142c0"), { ...header, B: "" });
  assert.deepEqual(read("91a178"), { ...header, B: "x" });
  assert.deepEqual(read("c0"), zero);
});

Deno.test("a struct may be an array in declaration order, shorter or longer", () => {
  accepts(Message, "93a17807c3", { B: "x", A: 7, Flag: true });
  accepts(Message, "dc0003a17807c3", { B: "x", A: 7, Flag: true });
  accepts(Message, "dd00000001a178", { ...zero, B: "x" });
  accepts(Message, "90", zero);
  accepts(Message, "95a17807c39101c0", { B: "x", A: 7, Flag: true });
});

Deno.test("a struct may be nil", () => {
  accepts(Message, "c0", zero);
  accepts(list(Message), "91c0", [zero]);
});

Deno.test("a str, int or bool is no map, array or struct", () => {
  for (const hex of ["a161", "05", "c3", "cb3ff0000000000000", "c40101", "d40101"]) {
    refuses(Message, hex, /Expected a map/);
    refuses(list(str), hex, /Expected an array/);
    refuses(record(str), hex, /Expected a map/);
  }
  for (const hex of ["80", "c3", "d40101"]) refuses(str, hex, /Expected a string/);
  refuses(bytes, "05", /Expected a byte string/);
});

Deno.test("a list of strings may be a map, which gives keys and values by turns", () => {
  accepts(list(str), "81a161a162", ["a", "b"]);
  accepts(list(str), "80", []);
});

Deno.test("a map given as an array is refused", () => {
  refuses(record(str), "92a161a162", /Expected a map/);
});

Deno.test("integer keys are refused", () => {
  refuses(Message, "810105", /Expected a map key/);
  refuses(record(str), "8101a161", /Expected a string/);
  refuses(record(str), "819161a161", /map key/);
});

Deno.test("a nil key is the empty one, as the older library has it", () => {
  accepts(Message, "82c005a14107", { ...zero, A: 7 });
  accepts(record(u8), "81c005", { "": 5 });
});

Deno.test("bytes after the value are ignored", () => {
  accepts(Message, "81a14107c1c1c1", { ...zero, A: 7 });
});

Deno.test("cut off bytes are refused wherever the cut is", () => {
  const whole = encodeValue({
    A: 200,
    B: "a longer text than thirty-one bytes is",
    Flag: true,
    x: [1.5, { y: -70_000, z: new Uint8Array(300) }, 2n ** 60n],
  }, "rpc");
  decode(Message, whole);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decode(Message, whole.subarray(0, length)), DecodeError, `${length}`);
  }
});

Deno.test("the unused type byte is refused", () => {
  refuses(Message, "81a16ec1", /0xc1/);
  refuses(Message, "c1", /0xc1/);
  refuses(str, "c1");
});

Deno.test("bytes that are no UTF-8 stay, and so does a byte order mark", () => {
  accepts(str, "a3ff6162", "\udcffab");
  accepts(str, "a2c328", "\udcc3(");
  accepts(str, "a4efbbbf61", "\ufeffa");
});

Deno.test('"__proto__" is a key like any other', () => {
  const value = decode(record(str), encodeValue(new Map([["__proto__", "x"], ["a", "y"]]), "rpc"));
  assert.deepEqual(Object.entries(value ?? {}), [["__proto__", "x"], ["a", "y"]]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});
