/**
 * Every vote of up to seven voters, against what a majority is by its definition.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  countVotes,
  majority,
  reachedByMajority,
} from "../../../../cluster/raft/membership/quorum.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g"];

/** Every list of `length` values out of `values`. */
function* lists<T>(length: number, values: readonly T[]): Generator<T[]> {
  if (length === 0) return yield [];
  for (const rest of lists(length - 1, values)) {
    for (const value of values) yield [...rest, value];
  }
}

Deno.test("a majority is more than half, and two majorities have a voter in common", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(majority), [1, 2, 2, 3, 3, 4, 4]);
  for (let voters = 1; voters <= 100; voters++) {
    const needed = majority(voters);
    assert.ok(2 * needed > voters && 2 * (needed - 1) <= voters);
    // Also with one voter more or less: what a change of one member rests on.
    assert.ok(needed + majority(voters + 1) > voters + 1);
  }
});

Deno.test("countVotes() tells every outcome of up to seven voters", () => {
  for (let size = 1; size <= 7; size++) {
    const voters = NAMES.slice(0, size);
    for (const answers of lists(size, [true, false, undefined])) {
      const votes = new Map(
        voters.flatMap((id, i) => answers[i] === undefined ? [] : [[id, answers[i]] as const]),
      );
      const yes = answers.filter((answer) => answer === true).length;
      const no = answers.filter((answer) => answer === false).length;
      const wanted = 2 * yes > size ? "won" : 2 * (size - no) > size ? "open" : "lost";
      assert.equal(countVotes(voters, votes), wanted, `${answers}`);
    }
  }
});

Deno.test("countVotes() counts nobody who is no voter", () => {
  const strangers = new Map([["x", true], ["y", true], ["z", true]]);
  assert.equal(countVotes(["a", "b", "c"], strangers), "open");
  assert.equal(countVotes(["a", "b", "c"], new Map([...strangers, ["a", true]])), "open");
  const refusals = new Map([["x", false], ["y", false], ["z", false]]);
  assert.equal(countVotes(["a", "b", "c"], refusals), "open");
});

Deno.test("reachedByMajority() is the highest value that a majority has", () => {
  assert.equal(reachedByMajority([], () => 5), 0);
  for (let size = 1; size <= 5; size++) {
    const voters = NAMES.slice(0, size);
    for (const values of lists(size, [0, 1, 2, 7])) {
      const reached = (least: number): boolean =>
        2 * values.filter((value) => value >= least).length > size;
      const wanted = Math.max(...[0, ...values].filter(reached));
      const valueOf = (voter: string): number => values[voters.indexOf(voter)] as number;
      assert.equal(reachedByMajority(voters, valueOf), wanted, `${values}`);
    }
  }
});

Deno.test("reachedByMajority() orders numbers, not texts", () => {
  const values: Record<string, number> = { a: 9, b: 10, c: 100 };
  assert.equal(reachedByMajority(["a", "b", "c"], (voter) => values[voter] as number), 10);
});
