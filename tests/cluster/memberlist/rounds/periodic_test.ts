import assert from "node:assert/strict";
import { Timers } from "../../../../cluster/memberlist/core/timers.ts";
import { startPeriodic } from "../../../../cluster/memberlist/rounds/periodic.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

function setUp(fraction: number) {
  const clock = new ManualClock();
  const random = { float: () => fraction, bytes: (length: number) => new Uint8Array(length) };
  return { clock, random, timers: new Timers(clock) };
}

Deno.test("a periodic task begins after a random part of its interval and keeps its pace", () => {
  const { clock, random, timers } = setUp(0.25);
  const ranAt: number[] = [];
  startPeriodic(timers, random, {
    intervalMs: () => 1_000,
    run(done) {
      ranAt.push(clock.now());
      // A round that takes a while does not shift the ticks.
      timers.set(300, done);
    },
  });
  clock.advanceSync(3_500);
  assert.deepEqual(ranAt, [250, 1_250, 2_250, 3_250]);
});

Deno.test("of the ticks that a long round misses one follows at once", () => {
  const { clock, random, timers } = setUp(0);
  const ranAt: number[] = [];
  const lasts = [3_400, 0, 0];
  startPeriodic(timers, random, {
    intervalMs: () => 1_000,
    run(done) {
      ranAt.push(clock.now());
      timers.set(lasts.shift() ?? 0, done);
    },
  });
  clock.advanceSync(5_500);
  assert.deepEqual(ranAt, [0, 3_400, 4_000, 5_000]);
});

Deno.test("a round that ends exactly at the tick is followed by the next", () => {
  const { clock, random, timers } = setUp(0);
  const ranAt: number[] = [];
  startPeriodic(timers, random, {
    intervalMs: () => 1_000,
    run(done) {
      ranAt.push(clock.now());
      timers.set(1_000, done);
    },
  });
  clock.advanceSync(3_000);
  assert.deepEqual(ranAt, [0, 1_000, 2_000, 3_000]);
});

Deno.test("the interval is asked anew before each wait", () => {
  const { clock, random, timers } = setUp(0);
  const ranAt: number[] = [];
  let interval = 100;
  startPeriodic(timers, random, {
    intervalMs: () => interval,
    run(done) {
      ranAt.push(clock.now());
      interval *= 2;
      done();
    },
  });
  clock.advanceSync(1_000);
  assert.deepEqual(ranAt, [0, 200, 600]);
});

Deno.test("a task with interval 0 never runs, and none runs after its timers are closed", () => {
  const { clock, random, timers } = setUp(0);
  let runs = 0;
  const run = (done: () => void) => {
    runs++;
    done();
  };
  startPeriodic(timers, random, { intervalMs: () => 0, run });
  assert.equal(clock.pending, 0);
  startPeriodic(timers, random, { intervalMs: () => 10, run });
  clock.advanceSync(15);
  timers.close();
  assert.equal(clock.pending, 0);
  clock.advanceSync(100);
  assert.equal(runs, 2);
});
