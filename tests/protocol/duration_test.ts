/**
 * Durations in Go's notation.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DurationError, formatDuration, parseDuration } from "../../protocol/duration.ts";

Deno.test("parseDuration() reads what Go reads", () => {
  const durations: Record<string, number> = {
    "300ms": 300,
    "1.5h": 5_400_000,
    "1h15m": 4_500_000,
    "+5s": 5_000,
    "-5s": -5_000,
    "0": 0,
    ".5s": 500,
    "1.s": 1_000,
    "1µs": 0.001,
    "1us1ns": 0.001001,
  };
  for (const [text, ms] of Object.entries(durations)) {
    assert.ok(Math.abs(parseDuration(text) - ms) < 1e-9, text);
  }
});

Deno.test("parseDuration() refuses what Go refuses, with Go's words", () => {
  const wrong: Record<string, string> = {
    "": `time: invalid duration ""`,
    "xx": `time: invalid duration "xx"`,
    "-": `time: invalid duration "-"`,
    "30": `time: missing unit in duration "30"`,
    "3d": `time: unknown unit "d" in duration "3d"`,
    "3constructor": `time: unknown unit "constructor" in duration "3constructor"`,
    "1s-1s": `time: unknown unit "s-" in duration "1s-1s"`,
    "9999999h": `time: invalid duration "9999999h"`,
  };
  for (const [text, message] of Object.entries(wrong)) {
    assert.throws(() => parseDuration(text), new DurationError(message), text);
  }
});

Deno.test("formatDuration() writes what Go writes", () => {
  const durations: Record<string, number> = {
    "0s": 0,
    "250ms": 250,
    "30s": 30_000,
    "1.5s": 1_500,
    "1m0s": 60_000,
    "1h0m0.5s": 3_600_500,
    "-1s": -1_000,
  };
  for (const [text, ms] of Object.entries(durations)) assert.equal(formatDuration(ms), text);
});
