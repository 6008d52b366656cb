import assert from "node:assert/strict";
import { pickRandom } from "../../../../cluster/memberlist/core/select.ts";
import { seededRandom } from "../../../support/memberlist/fakes.ts";

const everything = () => true;

Deno.test("pickRandom() finds every fitting item among few", () => {
  const random = seededRandom(1);
  for (let round = 0; round < 200; round++) {
    const picked = pickRandom(random, [1, 2, 3, 4, 5, 6, 7, 8], 3, (n) => n % 4 === 0);
    assert.deepEqual(picked.sort(), [4, 8]);
  }
});

Deno.test("pickRandom() never picks an item twice or more than asked", () => {
  const random = seededRandom(2);
  const items = Array.from({ length: 50 }, (_, i) => i);
  for (let round = 0; round < 200; round++) {
    const picked = pickRandom(random, items, 5, everything);
    assert.equal(picked.length, 5);
    assert.equal(new Set(picked).size, 5);
  }
});

Deno.test("pickRandom() ends when nothing fits, and leaves the items as they were", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  assert.deepEqual(pickRandom(seededRandom(3), items, 3, () => false), []);
  assert.deepEqual(pickRandom(seededRandom(3), [], 3, everything), []);
  assert.deepEqual(pickRandom(seededRandom(3), items, 0, everything), []);
  assert.deepEqual(items, Array.from({ length: 50 }, (_, i) => i));
});

Deno.test("pickRandom() gives every item the same chance", () => {
  for (const size of [8, 40]) {
    const random = seededRandom(4);
    const hits = new Array<number>(size).fill(0);
    for (let round = 0; round < 20_000; round++) {
      const items = Array.from({ length: size }, (_, i) => i);
      for (const item of pickRandom(random, items, 3, everything)) hits[item]!++;
    }
    const expected = 20_000 * 3 / size;
    for (const count of hits) assert.ok(Math.abs(count - expected) < expected * 0.1, `${hits}`);
  }
});
