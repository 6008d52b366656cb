import assert from "node:assert/strict";
import vectors from "../../vectors/codec.json" with { type: "json" };
import {
  bool,
  bytes,
  decodeValue,
  type Dialect,
  encode,
  i32,
  list,
  optional,
  record,
  str,
  struct,
  u16,
  u32,
  Writer,
} from "../../../protocol/msgpack/mod.ts";

const Ping = struct({
  SeqNo: u32,
  Node: str,
  SourceAddr: optional(bytes),
  SourcePort: optional(u16),
  SourceNode: optional(str),
});
const PushPullHeader = struct({ Nodes: i32, UserStateLen: i32, Join: bool });
const AckResp = struct({ SeqNo: u32, Payload: bytes });
const Outer = struct({ B: str, A: i32, Z: bool, et: struct({ X: i32 }) });
const nilBytes = Uint8Array.of(0xc0);

/**
 * What a Go value named in the vectors is to the writer. Times are byte strings by then (docs/spec/memberlist.md 2.2).
 */
const SAMPLES: Record<string, (writer: Writer) => void> = {
  "duration 5s": (w) => w.int(5_000_000_000),
  nil: (w) => w.nil(),
  "bytes empty": (w) => w.bytes(new Uint8Array(0)),
  bytes3: (w) => w.bytes(Uint8Array.of(1, 2, 3)),
  "array [3]byte": (w) => w.bytes(Uint8Array.of(1, 2, 3)),
  "f32 1.5": (w) => w.float32(1.5),
  "f64 1.5": (w) => w.float64(1.5),
  "f64 0": (w) => w.float64(0),
  "[]string{}": (w) => list(str).write(w, []),
  map1: (w) => record(str).write(w, { a: "b" }),
  "struct{S []string nil}": (w) => struct({ S: list(str) }).write(w, { S: null }),
  "struct{S map nil}": (w) => struct({ S: record(str) }).write(w, { S: null }),
  "ping full": (w) =>
    Ping.write(w, {
      SeqNo: 1,
      Node: "n",
      SourceAddr: Uint8Array.of(127, 0, 0, 1),
      SourcePort: 7946,
      SourceNode: "me",
    }),
  "ping min": (w) =>
    Ping.write(w, { SeqNo: 1, Node: "n", SourceAddr: null, SourcePort: 0, SourceNode: "" }),
  hdr: (w) => PushPullHeader.write(w, { Nodes: 3, UserStateLen: 240, Join: true }),
  hdr2: (w) => PushPullHeader.write(w, { Nodes: 1, UserStateLen: 70_000, Join: false }),
  "ack nil": (w) => AckResp.write(w, { SeqNo: 1, Payload: null }),
  "ack empty": (w) => AckResp.write(w, { SeqNo: 1, Payload: new Uint8Array(0) }),
  "outer emb": (w) => Outer.write(w, { A: 1, B: "x", Z: true, et: { X: 2 } }),
};

/** At the top level the older library writes a nil slice or map as an empty one (docs/spec/memberlist.md 2.1). */
const TOP_LEVEL_NIL: Record<Dialect, Record<string, Uint8Array>> = {
  gossip: {
    "bytes nil": encode(bytes, new Uint8Array(0), "gossip"),
    "[]string nil": encode(list(str), [], "gossip"),
    "[]interface nil": encode(list(str), [], "gossip"),
    mapnil: encode(record(str), {}, "gossip"),
  },
  rpc: { "[]string nil": nilBytes, "[]interface nil": nilBytes, mapnil: nilBytes },
};

function sample(name: string, dialect: Dialect, hex: string): Uint8Array {
  const topLevelNil = TOP_LEVEL_NIL[dialect][name];
  if (topLevelNil !== undefined) return topLevelNil;
  const writer = new Writer(dialect);
  const number = /^(u?int) (-?\d+)$/.exec(name);
  const repeated = /^(str|bytes)(\d\d+)$/.exec(name);
  if (number) number[1] === "int" ? writer.int(Number(number[2])) : writer.uint(Number(number[2]));
  else if (repeated?.[1] === "str") writer.str("a".repeat(Number(repeated[2])));
  else if (repeated) writer.bytes(new Uint8Array(Number(repeated[2])));
  else if (name.includes("time")) writeTime(writer, name, hex);
  else (SAMPLES[name] ?? assert.fail(`no sample for ${name}`))(writer);
  return writer.finish();
}

/** Times travel as byte strings that the application fills; take the content from the sample. */
function writeTime(writer: Writer, name: string, hex: string): void {
  const value = decodeValue(Uint8Array.fromHex(hex), { raw: "bytes" });
  if (value instanceof Map) {
    struct({ T: bytes }).write(writer, { T: value.get("T") as Uint8Array });
  } else {
    writer.bytes(value as Uint8Array | null);
  }
  assert.match(name, /time/);
}

/** Samples whose hex stops after the head. */
function isPrefix(name: string): boolean {
  return /^(str|bytes)\d\d+$/.test(name);
}

for (const { name, hex } of vectors.msgpack_0_5_5) {
  Deno.test(`gossip dialect writes "${name}" as go-msgpack 0.5.5 does`, () => {
    const written = sample(name, "gossip", hex).toHex();
    assert.equal(isPrefix(name) ? written.slice(0, hex.length) : written, hex);
  });
}

/** What the newer library does on gossip with the old raw family; integers of signed kinds follow "rpc". */
const RAW_FAMILY = /^(str|bytes|array|ping|time|struct time)/;

for (const { name, hex } of vectors.msgpack_2_1_5) {
  if (name === "misc" || name.endsWith("WriteExt")) continue;
  const dialect = RAW_FAMILY.test(name) ? "gossip" : "rpc";
  Deno.test(`${dialect} dialect writes "${name}" as go-msgpack 2.1.5 does`, () => {
    const written = sample(name, dialect, hex).toHex();
    assert.equal(isPrefix(name) ? written.slice(0, hex.length) : written, hex);
  });
}

Deno.test("rpc dialect writes short texts as str8 and byte strings as bin", () => {
  const writer = new Writer("rpc");
  writer.str("a".repeat(31));
  writer.str("a".repeat(32));
  writer.str("a".repeat(256));
  writer.bytes(new Uint8Array(0));
  writer.bytes(new Uint8Array(255));
  writer.bytes(new Uint8Array(256));
  writer.bytes(new Uint8Array(65_536));
  const heads = writer.finish().toHex().replace(/(61){4,}|(00){4,}/g, "..");
  assert.equal(heads, "bf..d920..da0100..c400c4ff..c501..c60001..");
});

Deno.test("int() takes the signed forms of docs/spec/agent.md 1.2 on rpc, at every border", () => {
  const cases: [number | bigint, string][] = [
    [127, "7f"],
    [128, "d10080"],
    [200, "d100c8"],
    [32_767, "d17fff"],
    [32_768, "d200008000"],
    [2_147_483_647, "d27fffffff"],
    [2_147_483_648, "d30000000080000000"],
    [15_000_000_000n, "d3000000037e11d600"],
    [2n ** 63n - 1n, "d37fffffffffffffff"],
    [-1, "ff"],
    [-32, "e0"],
    [-33, "d0df"],
    [-128n, "d080"],
    [-129, "d1ff7f"],
    [-32_769, "d2ffff7fff"],
    [-2_147_483_649, "d3ffffffff7fffffff"],
    [-(2n ** 63n), "d38000000000000000"],
  ];
  for (const [value, hex] of cases) {
    const writer = new Writer("rpc");
    writer.int(value);
    assert.equal(writer.finish().toHex(), hex, `${value}`);
  }
});

Deno.test("uint() is exact up to 64 bits", () => {
  const writer = new Writer("rpc");
  writer.uint(2 ** 53 - 1);
  writer.uint(2n ** 53n);
  writer.uint(2n ** 64n - 1n);
  assert.equal(
    writer.finish().toHex(),
    "cf001fffffffffffff" + "cf0020000000000000" + "cfffffffffffffffff",
  );
});

Deno.test("integers that do not fit are refused, not wrapped", () => {
  for (const dialect of ["gossip", "rpc"] as const) {
    const writer = new Writer(dialect);
    for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53, -1n, 2n ** 64n]) {
      assert.throws(() => writer.uint(value), RangeError, `uint ${value}`);
    }
    for (const value of [1.5, NaN, -Infinity, 2 ** 53, 2n ** 63n, -(2n ** 63n) - 1n]) {
      assert.throws(() => writer.int(value), RangeError, `int ${value}`);
    }
    assert.equal(writer.length, 0);
  }
  assert.throws(() => encode(u16, 65_536, "rpc"), RangeError);
  assert.throws(() => encode(i32, 2 ** 31, "rpc"), RangeError);
});

Deno.test("a writer grows as far as it must and can be used again after reset()", () => {
  const writer = new Writer("rpc", 0);
  for (let i = 0; i < 1000; i++) writer.str("ünï");
  assert.equal(writer.length, 6000);
  const first = writer.finish();
  writer.reset();
  writer.bool(true);
  assert.equal(writer.finish().toHex(), "c3");
  assert.equal(first.subarray(0, 6).toHex(), "a5c3bc6ec3af");
});

Deno.test("texts of every kind of character are written as UTF-8", () => {
  const texts = ["", "a", "é", "€", "😀", "a".repeat(100), "日本".repeat(40), "x😀".repeat(30)];
  for (const text of texts) {
    const utf8 = new TextEncoder().encode(text);
    const written = encode(str, text, "gossip");
    assert.equal(written.subarray(written.length - utf8.length).toHex(), utf8.toHex());
  }
  assert.equal(encode(str, "\ud800x", "rpc").toHex(), "a4efbfbd78");
  assert.equal(encode(str, "\udc00\ud800", "rpc").toHex(), "a6efbfbdefbfbd");
});
