import assert from "node:assert/strict";
import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("LogLimiter admits one line a second of each source and says how many it hid", () => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock);
  assert.equal(limiter.admit("a"), 0);
  assert.equal(limiter.admit("a"), undefined);
  assert.equal(limiter.admit("b"), 0);
  clock.advanceSync(999);
  assert.equal(limiter.admit("a"), undefined);
  clock.advanceSync(1);
  assert.equal(limiter.admit("b"), 0);
  assert.equal(limiter.admit("a"), 2);
  clock.advanceSync(1_000);
  assert.equal(limiter.admit("a"), 0);
});

Deno.test("LogLimiter bounds the lines of all sources together, and what it remembers", () => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock, 2);
  assert.equal(limiter.admit("a"), 0);
  clock.advanceSync(500);
  for (const source of ["b", "c", "d", "b"]) limiter.admit(source);
  clock.advanceSync(500);
  // The line of a is a second old, so that e gets its place; c and d are hidden, b's own count waits for b.
  assert.equal(limiter.admit("e"), 2);
  assert.equal(limiter.admit("a"), undefined);
  clock.advanceSync(500);
  assert.equal(limiter.admit("b"), 2);
});

Deno.test("LogLimiter loses no count with a source that it forgets", () => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock, 1);
  for (let i = 0; i < 4; i++) limiter.admit("a");
  clock.advanceSync(1_000);
  const hidden = limiter.admit("b");
  assert.equal(hidden, 3);
  assert.equal(hiddenNote(3), " (3 more not logged)");
  assert.equal(hiddenNote(0), "");
});
