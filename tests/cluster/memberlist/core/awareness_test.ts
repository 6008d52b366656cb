import assert from "node:assert/strict";
import { Awareness } from "../../../../cluster/memberlist/core/awareness.ts";

Deno.test("health score starts at 0 and stays between 0 and the multiplier less 1", () => {
  const awareness = new Awareness(8);
  assert.equal(awareness.score, 0);
  awareness.change(-1);
  assert.equal(awareness.score, 0);
  awareness.change(3);
  assert.equal(awareness.score, 3);
  awareness.change(100);
  assert.equal(awareness.score, 7);
  awareness.change(-1);
  assert.equal(awareness.score, 6);
});

Deno.test("health score stretches an interval by score + 1", () => {
  const awareness = new Awareness(8);
  assert.equal(awareness.scale(1_000), 1_000);
  awareness.change(2);
  assert.equal(awareness.scale(1_000), 3_000);
});

Deno.test("each new score is told, the same one is not", () => {
  const told: number[] = [];
  const awareness = new Awareness(3, (score) => told.push(score));
  for (const delta of [-1, 1, 5, 1, 0, -1, -4]) awareness.change(delta);
  assert.deepEqual(told, [1, 2, 1, 0]);
});
