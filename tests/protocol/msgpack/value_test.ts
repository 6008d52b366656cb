import assert from "node:assert/strict";
import * as oracle from "@msgpack/msgpack";
import {
  DecodeError,
  decodeValue,
  type Encodable,
  encodeValue,
  Extension,
  type Value,
} from "../../../protocol/msgpack/mod.ts";
import { randomValue } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? 20_261_121);

/** Maps become objects, as the oracle has them, and safe integers become `number`. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint8Array) return value.toHex();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

Deno.test("encodeValue() on rpc writes the bytes that @msgpack/msgpack writes", () => {
  const random = new SeededRandom(SEED);
  for (let i = 0; i < 2000; i++) {
    const value = randomValue(random);
    const written = encodeValue(value, "rpc");
    if (!hasBigint(value)) {
      assert.equal(written.toHex(), oracle.encode(value).toHex(), `seed ${SEED} round ${i}`);
    }
    assert.deepEqual(
      plain(oracle.decode(written, { useBigInt64: true })),
      plain(value),
      `seed ${SEED} round ${i}`,
    );
  }
});

Deno.test("decodeValue() reads what @msgpack/msgpack writes", () => {
  const random = new SeededRandom(SEED + 1);
  for (let i = 0; i < 2000; i++) {
    const value = randomValue(random);
    const bytes = oracle.encode(value, { useBigInt64: true });
    assert.deepEqual(plain(decodeValue(bytes)), plain(value), `seed ${SEED + 1} round ${i}`);
  }
});

Deno.test("every value survives both dialects", () => {
  const random = new SeededRandom(SEED + 2);
  for (let i = 0; i < 2000; i++) {
    const value = randomValue(random);
    assert.deepEqual(plain(decodeValue(encodeValue(value, "rpc"))), plain(value));
    const gossip = encodeValue(value, "gossip");
    assert.deepEqual(textless(decodeValue(gossip, { raw: "bytes" })), textless(value));
  }
});

/** Whether the oracle would write some integer in 8 bytes that fits in fewer. */
function hasBigint(value: Encodable): boolean {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) {
    return typeof value === "bigint";
  }
  return Object.values(value).some(hasBigint);
}

/** On gossip texts and byte strings are one: compare texts as their bytes. */
function textless(value: unknown): unknown {
  if (typeof value === "string") return new TextEncoder().encode(value).toHex();
  if (value instanceof Uint8Array) return value.toHex();
  if (Array.isArray(value)) return value.map(textless);
  if (value instanceof Map) return [...value].map(([key, item]) => [key, textless(item)]);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([key, item]) => [key, textless(item)]);
  }
  return plain(value);
}

Deno.test("the gossip dialect never writes str8 or bin", () => {
  for (let length = 0; length < 300; length++) {
    const head = encodeValue("a".repeat(length), "gossip")[0] as number;
    assert.equal(head, length < 32 ? 0xa0 + length : 0xda);
    assert.equal(encodeValue(new Uint8Array(length), "gossip")[0], head);
  }
});

Deno.test("numbers with a fraction, -0 and beyond 2^53 are float64, bigints integers", () => {
  const cases: [Encodable, string][] = [
    [1, "01"],
    [1.5, "cb3ff8000000000000"],
    [-0, "cb8000000000000000"],
    [2 ** 53, "cb4340000000000000"],
    [2n ** 53n, "cf0020000000000000"],
    [-5n, "fb"],
    [NaN, "cb7ff8000000000000"],
  ];
  for (const [value, hex] of cases) assert.equal(encodeValue(value, "rpc").toHex(), hex);
});

Deno.test("maps keep their order and kinds of key", () => {
  const map = new Map<Value, Value>([[3, "c"], ["b", null], [true, [1n + 2n ** 60n]]]);
  assert.deepEqual(decodeValue(encodeValue(map as ReadonlyMap<Encodable, Encodable>, "rpc")), map);
});

Deno.test("extensions decode and other things do not encode", () => {
  const value = decodeValue(Uint8Array.fromHex("92c70285aabbd60102030405"));
  assert.deepEqual(value, [
    new Extension(-123, Uint8Array.of(0xaa, 0xbb)),
    new Extension(1, Uint8Array.of(2, 3, 4, 5)),
  ]);
  for (const wrong of [undefined, () => 1, Symbol("x")]) {
    assert.throws(() => encodeValue([wrong as unknown as Encodable], "rpc"), TypeError);
  }
});

Deno.test("a value starts at the offset that is given", () => {
  assert.equal(decodeValue(Uint8Array.of(0xc1, 0xa1, 0x61, 0xc1), { offset: 1 }), "a");
});

Deno.test("a claim beyond the bytes or the limits is refused before memory is spent", () => {
  const claims = ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "c9ffffffff01"];
  for (const hex of claims) {
    for (const limits of [{}, { maxBytes: 2 ** 32, maxCount: 2 ** 32 }]) {
      assert.throws(() => decodeValue(Uint8Array.fromHex(hex), { limits }), DecodeError);
    }
  }
  const limits = { maxBytes: 3, maxCount: 2, maxDepth: 2 };
  for (
    const hex of ["a3616161", "c403010101", "920101", "8201010101", "9190", "d601020304" + "05"]
  ) {
    if (hex.startsWith("d6")) {
      assert.throws(() => decodeValue(Uint8Array.fromHex(hex), { limits }), /4 of 3 bytes/);
    } else decodeValue(Uint8Array.fromHex(hex), { limits });
  }
  for (const hex of ["a461616161", "c40401010101", "93010101", "83010101010101", "919190"]) {
    assert.throws(() => decodeValue(Uint8Array.fromHex(hex), { limits }), DecodeError, hex);
  }
});

Deno.test("depth is bounded in values and in skipped fields", () => {
  const nested = (levels: number) => Uint8Array.from([...new Array(levels).fill(0x91), 0xc0]);
  decodeValue(nested(128));
  assert.throws(() => decodeValue(nested(129)), /deeper than 128/);
  assert.throws(() => decodeValue(nested(1_000_000)), /deeper than 128/);
});
