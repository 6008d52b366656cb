/**
 * Choosing random nodes (docs/spec/memberlist.md 9.6).
 *
 * @module
 */

import { type Random, shuffle } from "../../runtime.ts";

/** Fewer than this many items per wanted one are all looked at (docs/spec/memberlist.md 9.6, from 0.6.0 on). */
const EXHAUSTIVE_BELOW = 3;

/** Bound of the random draws, per item (docs/spec/memberlist.md 9.6). */
const DRAWS_PER_ITEM = 3;

/**
 * Up to `count` different `items` that `accept` lets through, at random. Of few items every one is looked
 * at; of many, items are drawn until `count` are found or the draws are used up, so that fewer may come
 * back although more would fit.
 */
export function pickRandom<T>(
  random: Random,
  items: readonly T[],
  count: number,
  accept: (item: T) => boolean,
): T[] {
  const picked: T[] = [];
  if (items.length < EXHAUSTIVE_BELOW * count) {
    for (const item of shuffle(random, [...items])) {
      if (picked.length >= count) break;
      if (accept(item)) picked.push(item);
    }
    return picked;
  }
  const draws = DRAWS_PER_ITEM * items.length;
  for (let draw = 0; draw < draws && picked.length < count; draw++) {
    const item = items[Math.floor(random.float() * items.length)] as T;
    if (!picked.includes(item) && accept(item)) picked.push(item);
  }
  return picked;
}
