/**
 * Alarms that share a timer.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Alarms } from "../../../client/net/alarms.ts";

Deno.test("alarms ring in the order of their times, each once, and not when they were taken back", async () => {
  const alarms = new Alarms();
  const rung: string[] = [];
  const started = performance.now();
  const times = new Map<string, number>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const set = (name: string, ms: number) =>
    alarms.set(ms, () => {
      rung.push(name);
      times.set(name, performance.now() - started);
      if (name === "last") resolve();
    });
  set("third", 60);
  set("first", 20);
  const back = set("never", 30);
  set("last", 90);
  set("second", 40);
  alarms.clear(back);
  alarms.clear(back);
  await promise;
  assert.deepEqual(rung, ["first", "second", "third", "last"]);
  for (const [name, ms] of [["first", 20], ["second", 40], ["third", 60], ["last", 90]] as const) {
    assert.ok(times.get(name)! >= ms, name);
  }
});

Deno.test("an alarm may set and take back others, and without any no timer runs", async () => {
  const alarms = new Alarms();
  const { promise, resolve } = Promise.withResolvers<string>();
  const other = alarms.set(60_000, () => resolve("wrong"));
  alarms.set(1, () => {
    alarms.clear(other);
    const far = alarms.set(60_000, () => resolve("wrong"));
    alarms.set(1, () => {
      alarms.clear(far);
      resolve("right");
    });
  });
  assert.equal(await promise, "right");
});
