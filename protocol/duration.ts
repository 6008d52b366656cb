/**
 * Durations as Go writes them ("300ms", "1h15m"), in milliseconds.
 *
 * @module
 */

import { goQuote } from "./quote.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest duration, in milliseconds: 2^63 - 1 nanoseconds, about 292 years. */
const LONGEST_MS = 9_223_372_036_854.775;

/** A text that is no duration. The message is Go's. */
export class DurationError extends Error {
  override readonly name = "DurationError";
}

/**
 * Milliseconds of a Go duration: an optional sign, then numbers with a unit each (ns, us, ms, s, m, h).
 * `"0"` needs no unit. The result may have a fraction and may be negative.
 *
 * @throws {DurationError} with Go's text, e.g. `time: invalid duration "xx"`.
 */
export function parseDuration(text: string): number {
  const quoted = goQuote(text);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0;
  if (rest === "") throw new DurationError(`time: invalid duration ${quoted}`);
  let total = 0;
  while (rest !== "") {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) throw new DurationError(`time: invalid duration ${quoted}`);
    rest = rest.slice(number.length);
    const unit = /^[^\d.]*/.exec(rest)?.[0] ?? "";
    if (unit === "") throw new DurationError(`time: missing unit in duration ${quoted}`);
    const unitMs = Object.hasOwn(UNIT_MS, unit) ? UNIT_MS[unit] : undefined;
    if (unitMs === undefined) {
      throw new DurationError(`time: unknown unit ${goQuote(unit)} in duration ${quoted}`);
    }
    rest = rest.slice(unit.length);
    total += Number(number) * unitMs;
    if (total > LONGEST_MS) throw new DurationError(`time: invalid duration ${quoted}`);
  }
  return sign * total;
}

/** A duration of whole milliseconds the way Go prints it: `30s`, `1m0s`, `1h0m0.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? "-" : "";
  const whole = Math.abs(Math.round(ms));
  if (whole === 0) return "0s";
  if (whole < 1_000) return `${sign}${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = (whole % 60_000) / 1_000;
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : "";
  return `${sign}${head}${seconds}s`;
}
