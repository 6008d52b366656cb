import assert from "node:assert/strict";
import {
  decodeTuple,
  encodeTuple,
  keyAfter,
  keysBelow,
  MAX_KEY_BYTES,
  type TupleElement,
} from "../../../../cluster/machine/store/tuple.ts";
import { compareBytes } from "../../../../protocol/bytes.ts";
import { mutated } from "../../../support/mutate.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const hex = (bytes: Uint8Array): string => bytes.toHex();
const utf8 = new TextEncoder();

Deno.test("tuples have the bytes that they always had", () => {
  const table: [TupleElement[], string][] = [
    [[], ""],
    [[0], "14"],
    [[1], "1501"],
    [[255], "15ff"],
    [[256], "160100"],
    [[2 ** 32], "190100000000"],
    [[Number.MAX_SAFE_INTEGER], "1b1fffffffffffff"],
    [[""], "0200"],
    [["a\0b", 7], "026100ff62001507"],
    [["é"], "02c3a900"],
    [[Uint8Array.of(0, 255)], "0100ffff00"],
    [[2, 1, "app", "users"], "1502150102617070000275736572730" + "0"],
  ];
  for (const [tuple, bytes] of table) {
    assert.equal(hex(encodeTuple(tuple)), bytes);
    assert.deepEqual(decodeTuple(Uint8Array.fromHex(bytes)), tuple);
  }
});

Deno.test("random tuples come back, and their keys are in the order of the tuples", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const tuples = Array.from({ length: 120 }, () => randomTuple(random));
    for (const a of tuples) {
      const key = encodeTuple(a);
      assert.deepEqual(decodeTuple(key), a);
      for (const b of tuples) {
        const order = Math.sign(compareBytes(key, encodeTuple(b)));
        assert.equal(order, compareTuples(a, b), `seed ${seed}: ${show(a)} and ${show(b)}`);
      }
    }
  }
});

Deno.test("the keys below a key are those of its longer tuples and no others", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const tuples = Array.from({ length: 100 }, () => randomTuple(random, 3));
    for (const prefix of tuples) {
      const { from, to } = keysBelow(encodeTuple(prefix));
      for (const tuple of tuples) {
        const key = encodeTuple(tuple);
        const inside = compareBytes(key, from) >= 0 && compareBytes(key, to) < 0;
        const longer = tuple.length > prefix.length &&
          prefix.every((element, i) => compareElements(element, tuple[i] as TupleElement) === 0);
        assert.equal(inside, longer, `seed ${seed}: ${show(prefix)} and ${show(tuple)}`);
      }
    }
  }
});

Deno.test("nothing fits between a key and the one after it", () => {
  const key = encodeTuple(["a"]);
  assert.equal(hex(keyAfter(key)), `${hex(key)}00`);
});

Deno.test("what no key can hold is refused", () => {
  for (const element of [-1, 0.5, NaN, Infinity, 2 ** 53, "\ud800", "a\udc00"]) {
    assert.throws(() => encodeTuple([element]), RangeError, String(element));
  }
  const longest = "x".repeat(MAX_KEY_BYTES - 2);
  assert.equal(encodeTuple([longest]).length, MAX_KEY_BYTES);
  assert.throws(() => encodeTuple([`${longest}x`]), RangeError);
  assert.throws(() => encodeTuple(["\0".repeat(MAX_KEY_BYTES / 2)]), RangeError);
});

Deno.test("bytes that are no key are refused", () => {
  const table = {
    "no type": "00",
    "unknown type": "03",
    "integer that is too wide": "1c01000000000000",
    "escape where a type belongs": "ff",
    "text without an end": "0261",
    "text that ends in an escape": "026100ff",
    "text that is no UTF-8": "02c300",
    "text with a surrogate": "02eda08000",
    "integer without its bytes": "15",
    "integer that is cut off": "1601",
    "integer in a longer spelling": "160001",
    "integer beyond 2^53-1": "1b20000000000000",
  };
  for (const [what, bytes] of Object.entries(table)) {
    assert.throws(() => decodeTuple(Uint8Array.fromHex(bytes)), RangeError, what);
  }
  assert.throws(() => decodeTuple(new Uint8Array(MAX_KEY_BYTES + 1).fill(0x14)), RangeError);
});

Deno.test("hostile bytes are a RangeError or the one spelling of a tuple", () => {
  const random = new SeededRandom(7);
  for (let i = 0; i < 20_000; i++) {
    const bytes = mutated(random, encodeTuple(randomTuple(random)));
    let tuple: TupleElement[];
    try {
      tuple = decodeTuple(bytes);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
      continue;
    }
    assert.equal(hex(encodeTuple(tuple)), hex(bytes));
  }
});

/** Elements are drawn from few values, so that tuples share beginnings. */
function randomTuple(random: SeededRandom, most = 5): TupleElement[] {
  return Array.from({ length: below(random, most + 1) }, (): TupleElement => {
    switch (below(random, 4)) {
      case 0:
        return Math.min(Number.MAX_SAFE_INTEGER, 2 ** below(random, 54) + below(random, 3) - 1);
      case 1:
        return below(random, 3);
      case 2:
        return random.bytes(below(random, 3)).map((byte) => byte < 128 ? byte & 1 : 254 | byte);
      default:
        return Array.from({ length: below(random, 4) }, () => LETTERS[below(random, 7)]).join("");
    }
  });
}

const LETTERS = ["a", "b", "\0", "\x01", "ÿ", "\uffff", "😀"];

function compareTuples(a: readonly TupleElement[], b: readonly TupleElement[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareElements(a[i] as TupleElement, b[i] as TupleElement);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

/** Byte strings before texts before integers; texts by their UTF-8. */
function compareElements(a: TupleElement, b: TupleElement): number {
  const rank = (element: TupleElement) =>
    typeof element === "number" ? 2 : typeof element === "string" ? 1 : 0;
  if (rank(a) !== rank(b)) return Math.sign(rank(a) - rank(b));
  if (typeof a === "number") return Math.sign(a - (b as number));
  const bytesOf = (element: TupleElement) =>
    typeof element === "string" ? utf8.encode(element) : element as Uint8Array;
  return Math.sign(compareBytes(bytesOf(a), bytesOf(b)));
}

function show(tuple: readonly TupleElement[]): string {
  return JSON.stringify(tuple.map((e) => e instanceof Uint8Array ? [...e] : e));
}
