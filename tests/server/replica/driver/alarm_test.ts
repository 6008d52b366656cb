import assert from "node:assert/strict";
import { Alarm } from "../../../../server/replica/driver/alarm.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

/** An alarm on a clock, and when it rang. */
function alarmed(again: () => boolean = () => false) {
  const clock = new ManualClock();
  const rings: number[] = [];
  const alarm = new Alarm(clock, (now) => {
    rings.push(now);
    return again();
  });
  return { clock, alarm, rings };
}

Deno.test("an alarm rings once, when the earliest of its times is over", () => {
  const { clock, alarm, rings } = alarmed();
  for (const at of [70, 30.5, 50]) alarm.by(at);
  clock.advanceSync(1_000);
  assert.deepEqual(rings, [31]);
  alarm.by(5);
  clock.advanceSync(1_000);
  assert.deepEqual(rings, [31, 1_001], "a time that is over, in the next millisecond");
  assert.equal(clock.pending, 0);
});

Deno.test("an alarm rings every 21 ms as long as there is work, and once after it", () => {
  let waits = 3;
  const { clock, alarm, rings } = alarmed(() => --waits > 0);
  alarm.by(10_000);
  alarm.soon();
  alarm.soon();
  clock.advanceSync(9_000);
  assert.deepEqual(rings, [21, 42, 63]);
  const one = alarmed();
  one.alarm.soon();
  one.clock.advanceSync(9_000);
  assert.deepEqual(one.rings, [21, 42]);
});

Deno.test("an alarm knows how late it was", () => {
  let now = 0;
  let come = () => {};
  const setTimer = (_: number, fn: () => void) => {
    come = fn;
    return { cancel() {} };
  };
  const alarm = new Alarm({ now: () => now, setTimer }, () => false);
  alarm.by(20);
  now = 85;
  come();
  alarm.by(100);
  now = 101;
  come();
  assert.equal(alarm.worstLagMs, 64);
});

Deno.test("an alarm that is closed is silent", () => {
  const { clock, alarm, rings } = alarmed();
  alarm.by(5);
  alarm.close();
  alarm.by(5);
  alarm.soon();
  clock.advanceSync(500);
  assert.deepEqual([rings, clock.pending], [[], 0]);
});
