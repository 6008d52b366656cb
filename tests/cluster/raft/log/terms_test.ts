/**
 * The terms of a log, against a plain list of them, through random changes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Terms } from "../../../../cluster/raft/log/terms.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

/** The terms of a log whose entries have these, after `before`. */
function termsOf(list: readonly number[], before = { index: 0, term: 0 }): Terms {
  const terms = new Terms(before.index, before.term);
  for (const term of list) terms.push(term);
  return terms;
}

/** Every list of up to `length` terms that never go down, from `least` to 3. */
function* logs(length: number, least = 1): Generator<number[]> {
  yield [];
  if (length === 0) return;
  for (let term = least; term <= 3; term++) {
    for (const rest of logs(length - 1, term)) yield [term, ...rest];
  }
}

/** Compares with a list whose first element is the term of `beforeIndex`. */
function check(terms: Terms, beforeIndex: number, list: readonly number[], label: string): void {
  const last = beforeIndex + list.length - 1;
  assert.equal(terms.beforeIndex, beforeIndex, label);
  assert.equal(terms.beforeTerm, list[0], label);
  assert.equal(terms.last, last, label);
  for (let index = beforeIndex - 1; index <= last + 1; index++) {
    assert.equal(terms.at(index), list[index - beforeIndex], `${label}, at ${index}`);
    if (index <= beforeIndex || index > last) continue;
    const first = list.indexOf(list[index - beforeIndex] as number, 1) + beforeIndex;
    assert.equal(terms.firstOfTermAt(index), first, `${label}, first of ${index}`);
  }
  const highest = Math.max(...list) + 1;
  for (let term = 0; term <= highest; term++) {
    for (let limit = beforeIndex; limit <= last; limit++) {
      const place = list.slice(0, limit - beforeIndex + 1).findLastIndex((one) => one <= term);
      const wanted = place < 0 ? undefined : place + beforeIndex;
      assert.equal(terms.lastNotAfter(term, limit), wanted, `${label}, ${term} up to ${limit}`);
    }
  }
}

Deno.test("every log of up to six entries of three terms answers every question", () => {
  let count = 0;
  for (const list of logs(6)) {
    count++;
    check(termsOf(list), 0, [0, ...list], `[${list}]`);
    check(termsOf(list, { index: 7, term: 1 }), 7, [1, ...list], `[${list}] after 7`);
    for (let from = 1; from <= list.length + 1; from++) {
      const cut = termsOf(list);
      cut.truncate(from);
      check(cut, 0, [0, ...list.slice(0, from - 1)], `[${list}] cut from ${from}`);
    }
    for (let to = 0; to <= list.length; to++) {
      const short = termsOf(list);
      short.trim(to);
      check(short, to, [0, ...list].slice(to), `[${list}] trimmed to ${to}`);
    }
  }
  assert.equal(count, 84);
});

Deno.test("random changes leave what they leave in a plain list", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new SeededRandom(seed);
    const dice = (limit: number): number => Math.floor(random.float() * limit);
    const terms = new Terms(0, 0);
    let [beforeIndex, list, term] = [0, [0], 1];
    for (let count = 0; count < 100; count++) {
      const last = beforeIndex + list.length - 1;
      switch (dice(5)) {
        case 0: {
          const from = beforeIndex + 1 + dice(last - beforeIndex + 1);
          terms.truncate(from);
          list = list.slice(0, from - beforeIndex);
          break;
        }
        case 1: {
          const to = beforeIndex + dice(Math.min(3, last - beforeIndex + 1));
          terms.trim(to);
          list = list.slice(to - beforeIndex);
          beforeIndex = to;
          break;
        }
        default:
          if (dice(3) === 0) term++;
          for (let left = dice(4); left > 0; left--) {
            terms.push(term);
            list.push(term);
          }
      }
      check(terms, beforeIndex, list, `seed ${seed}, change ${count}`);
    }
  }
});
