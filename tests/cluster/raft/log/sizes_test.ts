/**
 * The sizes of a log's entries, against a plain list of them, through random changes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Sizes } from "../../../../cluster/raft/log/sizes.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

/** The distance of two marks: what is between them is told in proportion. */
const MARK_BYTES = 64 * 1024;

/** Sizes after entry 10, and the same as a list. */
function both(list: number[]): { sizes: Sizes; list: number[]; before: number } {
  const sizes = new Sizes(10);
  for (const bytes of list) sizes.push(bytes);
  return { sizes, list, before: 10 };
}

Deno.test("what equal entries take is told exactly, also after some are cut off and trimmed", () => {
  const { sizes } = both(new Array(5_000).fill(100));
  sizes.truncate(4_010);
  sizes.trim(1_010);
  sizes.push(100);
  assert.equal(sizes.between(0, 9_999), 300_000);
  assert.equal(sizes.between(2_000, 2_345), 34_500);
  assert.equal(sizes.beforeNewest(34_500, 2_345), 2_000);
  assert.equal(sizes.beforeNewest(34_499, 2_345), 2_001);
  assert.equal(sizes.beforeNewest(0, 2_345), 2_345);
  assert.equal(sizes.beforeNewest(1e9, 2_345), 1_010);
});

Deno.test("of entries larger than the distance of two marks each is told exactly", () => {
  const { sizes, list } = both([100_000, 12_000_000, 70_000, 1_000_000]);
  for (let i = 0; i <= list.length; i++) {
    const bytes = list.slice(0, i).reduce((sum, one) => sum + one, 0);
    assert.equal(sizes.between(10, 10 + i), bytes);
    assert.equal(sizes.beforeNewest(bytes, 10 + i), 10);
    if (i > 0) assert.equal(sizes.beforeNewest(bytes - 1, 10 + i), 11);
  }
});

Deno.test("a log of no entries takes nothing", () => {
  const sizes = new Sizes(7);
  sizes.trim(7);
  assert.deepEqual([sizes.between(0, 9), sizes.beforeNewest(0, 7)], [0, 7]);
  sizes.push(32);
  sizes.trim(8);
  assert.deepEqual([sizes.between(0, 9), sizes.beforeNewest(0, 8)], [0, 8]);
});

for (const seed of [1, 2, 3, 4].map(() => Math.floor(Math.random() * 2 ** 32))) {
  Deno.test(`what any entries take is told to a mark's distance, seed ${seed}`, () => {
    const random = new SeededRandom(seed);
    const log = both([]);
    let { sizes } = log;
    let cuts = 0;
    for (let round = 0; round < 300; round++) {
      const count = log.list.length;
      const kind = below(random, 10);
      if (kind === 0 && count > 0) {
        const from = log.before + 1 + below(random, count);
        sizes.truncate(from);
        log.list.splice(from - log.before - 1);
        cuts++;
      } else if (kind === 1) {
        const index = log.before + below(random, count + 1);
        sizes.trim(index);
        log.list.splice(0, index - log.before);
        log.before = index;
      } else if (kind === 2) {
        const copy = sizes.copy();
        sizes.push(1e9);
        sizes = copy;
      } else {
        for (let i = below(random, 200); i >= 0; i--) {
          const bytes = 32 + below(random, 2 ** (1 + below(random, 18)));
          sizes.push(bytes);
          log.list.push(bytes);
        }
      }
      check(sizes, log, random, (2 + cuts) * MARK_BYTES);
    }
  });
}

function check(
  sizes: Sizes,
  { list, before }: { list: readonly number[]; before: number },
  random: SeededRandom,
  tolerance: number,
): void {
  const last = before + below(random, list.length + 1);
  const after = before + below(random, last - before + 1);
  const from = (index: number) =>
    list.slice(index - before, last - before).reduce((sum, one) => sum + one, 0);
  const off = Math.abs(sizes.between(after, last) - from(after));
  assert.ok(off <= tolerance, `${off} bytes off`);
  assert.equal(sizes.beforeNewest(0, last), last);
  const bytes = below(random, from(before) + 2);
  const index = sizes.beforeNewest(bytes, last);
  assert.ok(index >= before && index <= last, `${index} of ${before} to ${last}`);
  assert.ok(from(index) <= bytes + tolerance, `${from(index)} bytes for ${bytes}`);
  const largest = Math.max(0, ...list);
  if (index > before) {
    assert.ok(from(index) + largest >= bytes - tolerance, `${from(index)} bytes for ${bytes}`);
  }
}
