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

Deno.test("the error of a task that nobody waits for comes out of a timer, also after the end", async () => {
  const clock = new ManualClock();
  const timers = new Timers(clock);
  timers.background(Promise.resolve());
  await clock.advance(1);
  timers.background(Promise.reject(new TypeError("planted")));
  await assert.rejects(clock.advance(1), { message: "planted" });
  timers.close();
  timers.background(Promise.reject(new TypeError("late")));
  await assert.rejects(clock.advance(1), { message: "late" });
});
