/**
 * What a consumer commits for its group, and when.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  Commits,
  type CommitWorld,
} from "../../../../../protocol/topics/program/consumer/commits.ts";

const HOUR_MS = 3_600_000;

/** Commits at servers that say yes, and what these were told. */
function start(): { commits: Commits; told: string[]; time: { now: number } } {
  const told: string[] = [];
  const time = { now: 5 };
  const world: CommitWorld = {
    load: () => Promise.resolve({ offsets: [] }),
    save(offsets) {
      told.push(offsets.map(({ partition, offset }) => `${partition}:${offset}`).join(" "));
      return Promise.resolve({ codes: offsets.map(() => 0) });
    },
    now: () => time.now,
  };
  return { commits: new Commits(world, "g", "t"), told, time };
}

Deno.test("only what has changed is committed, and all of it again after an hour", async () => {
  const { commits, told, time } = start();
  const save = (...offsets: [number, number][]) => commits.save(() => new Map(offsets), {});
  await save([0, 5], [1, 7]);
  await save([0, 5], [1, 7]);
  await save([0, 6], [1, 7]);
  time.now += HOUR_MS - 1;
  await save([0, 6], [1, 7]);
  time.now += 1;
  await save([0, 6], [1, 7]);
  await save([0, 6], [1, 7]);
  assert.deepEqual(told, ["0:5 1:7", "0:6", "0:6 1:7"]);
});

Deno.test("commits do not overtake each other, and it is known whether one is under way", async () => {
  const { commits, told } = start();
  assert.equal(commits.isBusy, false);
  const saves = [1, 2, 3].map((offset) => commits.save(() => new Map([[0, offset]]), {}));
  await saves[0];
  assert.equal(commits.isBusy, true);
  await Promise.all(saves);
  assert.equal(commits.isBusy, false);
  assert.deepEqual(told, ["0:1", "0:2", "0:3"]);
});

Deno.test("what is another member's when its turn has come is not committed", async () => {
  const { commits, told } = start();
  const positions = new Map([[0, 5], [1, 7]]);
  const saved = commits.save(() => positions, {});
  positions.delete(0);
  await saved;
  assert.deepEqual(told, ["1:7"]);
});
