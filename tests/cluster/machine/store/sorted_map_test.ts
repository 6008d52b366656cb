import assert from "node:assert/strict";
import { SortedMap } from "../../../../cluster/machine/store/sorted_map.ts";
import { encodeTuple } from "../../../../cluster/machine/store/tuple.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const ROWS = 10_000;
const key = (number: number) => encodeTuple([number]);
const value = new Uint8Array();

Deno.test("keys in ascending order fill their blocks", () => {
  const map = new SortedMap();
  for (let i = 0; i < ROWS; i++) map.set(key(i), value);
  assert.ok(map.blocks <= ROWS / 64 + 1, `${map.blocks} blocks`);
});

Deno.test("keys in any other order fill half of them at least", () => {
  const descending = new SortedMap();
  for (let i = ROWS; i > 0; i--) descending.set(key(i), value);
  assert.ok(descending.blocks <= ROWS / 32, `${descending.blocks} blocks`);
  const random = new SeededRandom(1);
  const mixed = new SortedMap();
  for (let i = 0; i < ROWS; i++) mixed.set(key(below(random, 2 ** 32)), value);
  assert.ok(mixed.blocks <= ROWS / 32, `${mixed.blocks} blocks`);
});

Deno.test("blocks that have become small are joined", () => {
  const map = new SortedMap();
  for (let i = 0; i < ROWS; i++) map.set(key(i), value);
  const full = map.blocks;
  for (let i = 1; i < ROWS; i += 10) map.delete(key(i));
  assert.equal(map.blocks, full);
  for (let i = 0; i < ROWS; i++) if (i % 100 !== 0) map.delete(key(i));
  assert.equal(map.range(value, undefined, ROWS).length, ROWS / 100);
  // Two neighbours have more than 32 rows together.
  assert.ok(map.blocks <= ROWS / 100 / 16 + 1, `${map.blocks} blocks`);
  for (let i = 0; i < ROWS; i += 100) map.delete(key(i));
  assert.equal(map.blocks, 0);
});

Deno.test("copies at any time are what the map was then", () => {
  const random = new SeededRandom(1);
  const map = new SortedMap();
  const copies: [ReturnType<SortedMap["copy"]>, string][] = [];
  const shown = (rows: { range: SortedMap["range"] }) =>
    rows.range(value, undefined, Infinity).map((row) => row.key.toHex() + row.value.toHex()).join();
  for (let i = 0; i < 3_000; i++) {
    const at = key(below(random, 500));
    if (random.float() < 0.5) map.set(at, random.bytes(2));
    else map.delete(at);
    if (i % 100 === 0) copies.push([map.copy(), shown(map)]);
  }
  for (const [copy, wanted] of copies) assert.equal(shown(copy), wanted);
});
