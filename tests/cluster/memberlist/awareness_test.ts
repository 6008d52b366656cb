import assert from "node:assert/strict";
import { Awareness } from "../../../cluster/memberlist/awareness.ts";

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
