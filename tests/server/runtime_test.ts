import assert from "node:assert/strict";
import { realClock, realRandom } from "../../server/runtime.ts";

Deno.test("realClock runs timers in the order of their time, and none that was cancelled", async () => {
  const fired: string[] = [];
  const begun = realClock.now();
  realClock.setTimer(1, () => fired.push("cancelled")).cancel();
  const late = new Promise<void>((resolve) => {
    realClock.setTimer(20, () => {
      fired.push("late");
      resolve();
    });
  });
  realClock.setTimer(-1, () => fired.push("at once"));
  await late;
  assert.deepEqual(fired, ["at once", "late"]);
  assert.ok(realClock.now() - begun >= 19, `${realClock.now() - begun} ms`);
});

Deno.test("realClock waits longer than setTimeout can", async () => {
  let fired = false;
  const timer = realClock.setTimer(2 ** 31 + 1_000, () => fired = true);
  // Without care setTimeout takes so long a wait for none and fires at once, before this one.
  await new Promise<void>((resolve) => void realClock.setTimer(20, resolve));
  timer.cancel();
  timer.cancel();
  assert.equal(fired, false);
});

Deno.test("realRandom gives numbers below 1 and bytes that differ", () => {
  for (let i = 0; i < 1_000; i++) {
    const number = realRandom.float();
    assert.ok(number >= 0 && number < 1);
  }
  const [one, other] = [realRandom.bytes(32), realRandom.bytes(32)];
  assert.equal(one.constructor, Uint8Array);
  assert.equal(one.length, 32);
  assert.notDeepEqual(one, other);
});
