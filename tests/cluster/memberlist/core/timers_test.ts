import assert from "node:assert/strict";
import { Timers } from "../../../../cluster/memberlist/core/timers.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

Deno.test("closing timers cancels all that wait and tells those who asked for it", () => {
  const clock = new ManualClock();
  const timers = new Timers(clock);
  const told: string[] = [];
  timers.set(10, () => told.push("fired"));
  timers.set(20, () => told.push("never"), () => told.push("closed"));
  timers.set(20, () => told.push("never"), () => told.push("never")).cancel();
  clock.advanceSync(10);
  timers.close();
  timers.close();
  assert.equal(clock.pending, 0);
  timers.set(1, () => told.push("never"), () => told.push("late"));
  clock.advanceSync(100);
  assert.deepEqual(told, ["fired", "closed", "late"]);
  assert.equal(timers.closed, true);
});
