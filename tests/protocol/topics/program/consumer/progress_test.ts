import assert from "node:assert/strict";
import { Commits } from "../../../../../protocol/topics/program/consumer/commits.ts";
import { Progress } from "../../../../../protocol/topics/program/consumer/progress.ts";

/** Progress in a topic of which servers have these offsets. */
function newStage(committed: Record<number, number>) {
  const offsets = Object.entries(committed).map(([partition, offset]) => {
    return { topic: "t", partition: Number(partition), offset, metadata: "" };
  });
  const commits = new Commits(
    {
      load: () => Promise.resolve({ offsets }),
      save: () => Promise.reject(new Error("Nothing is to be saved")),
      now: () => 0,
    },
    "g",
    "t",
  );
  return { commits, progress: new Progress("t", commits) };
}

const at = (partition: number, from: number | null, offset: number) => {
  return { topic: "t", partition, offset, from };
};

Deno.test("what was delivered is told with where it began, until it is committed", async () => {
  const { commits, progress } = newStage({ 0: 5 });
  await commits.load([0], {});
  assert.deepEqual(progress.take().offsets, []);
  progress.note(0, 5);
  progress.note(0, 6);
  progress.note(1, 0);
  const first = progress.take();
  assert.deepEqual(first.offsets, [at(0, 5, 7), at(1, null, 1)]);
  // It is not known to be committed.
  assert.deepEqual(progress.take().offsets, first.offsets);
  progress.note(0, 7);
  first.committed?.();
  assert.deepEqual(progress.take().offsets, [at(0, 7, 8)]);
  assert.deepEqual([commits.of(0), commits.of(1)], [7, 1]);
  progress.note(1, 1);
  assert.deepEqual(progress.take().offsets, [at(0, 7, 8), at(1, 1, 2)]);
  progress.forget();
  assert.deepEqual(progress.take().offsets, []);
});

Deno.test("what was delivered before another member had the partition is told as it began, so that it is refused", async () => {
  const { commits, progress } = newStage({ 0: 50 });
  progress.note(0, 9);
  // The partition comes back: another one has gone on to 50.
  await commits.load([0], {});
  progress.note(0, 50);
  assert.deepEqual(progress.take().offsets, [at(0, null, 51)]);
});

Deno.test("a partition that comes back before it was committed is delivered twice, so nothing is told", async () => {
  const { commits, progress } = newStage({ 0: 5 });
  await commits.load([0], {});
  progress.note(0, 5);
  const first = progress.take();
  progress.note(0, 6);
  progress.lose([0, 1]);
  const isLost = { reason: "REBALANCE_IN_PROGRESS" };
  assert.throws(() => progress.take(), isLost);
  await commits.load([0], {});
  progress.note(0, 5);
  assert.throws(() => progress.take(), isLost);
  // What was on its way is done, but for what came after it.
  first.committed?.();
  progress.note(0, 6);
  assert.throws(() => progress.take(), isLost);
  progress.forget();
  progress.note(0, 7);
  assert.deepEqual(progress.take().offsets, [at(0, 6, 8)]);
});

Deno.test("a partition is lost without harm once all that it has delivered is committed", () => {
  const { progress } = newStage({});
  progress.note(0, 0);
  const { committed } = progress.take();
  progress.lose([0]);
  committed?.();
  progress.note(0, 1);
  assert.deepEqual(progress.take().offsets, [at(0, 1, 2)]);
});

Deno.test("what is delivered while offsets are committed in another way is still to be told", () => {
  const { commits, progress } = newStage({});
  progress.note(0, 0);
  progress.note(1, 0);
  const done = progress.committing();
  progress.note(0, 1);
  commits.learn(0, 1);
  commits.learn(1, 1);
  done();
  assert.deepEqual(progress.take().offsets, [at(0, 1, 2)]);
});
