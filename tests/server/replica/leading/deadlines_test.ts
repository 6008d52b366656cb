import assert from "node:assert/strict";
import { Deadlines } from "../../../../server/replica/leading/deadlines.ts";

Deno.test("a name is due when its time is over, not before and at most a quarter of a second later", () => {
  const deadlines = new Deadlines();
  deadlines.set("a", 1_000);
  deadlines.set("b", 1_001);
  deadlines.set("c", 900);
  deadlines.set("c", 5_000);
  assert.deepEqual(deadlines.takeDue(999), []);
  assert.deepEqual(deadlines.takeDue(1_000), ["a"]);
  assert.deepEqual(deadlines.takeDue(1_250), ["b"]);
  assert.deepEqual(deadlines.takeDue(4_999), []);
  assert.equal(deadlines.size, 1);
  deadlines.delete("c");
  assert.deepEqual([deadlines.size, deadlines.takeDue(10_000)], [0, []]);
});
