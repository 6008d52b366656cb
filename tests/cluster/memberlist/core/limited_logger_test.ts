import assert from "node:assert/strict";
import { LimitedLogger } from "../../../../cluster/memberlist/core/limited_logger.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { keepingLogger } from "../../../support/memberlist/fakes.ts";

Deno.test("each source gets one line a second, and what was kept back is counted", () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = new LimitedLogger(clock, keepingLogger(lines));
  log.write("warn", "10.0.0.1", "one");
  log.write("warn", "10.0.0.1", "two");
  log.write("warn", "10.0.0.2", "three");
  log.write("debug", "10.0.0.1", "detail");
  log.write("warn", "10.0.0.1", "four");
  assert.deepEqual(lines, ["warn one", "warn three", "debug detail"]);
  clock.advanceSync(1_000);
  log.write("warn", "10.0.0.1", "five");
  assert.equal(lines.at(-1), "warn five (2 more not logged)");
});

Deno.test("forged sources cannot flood the log or the memory", () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = new LimitedLogger(clock, keepingLogger(lines));
  for (let i = 0; i < 10_000; i++) log.write("warn", `source ${i}`, "noise");
  assert.equal(lines.length, 16);
});
