/**
 * Times as flags have them.
 *
 * @module
 */

import { DurationError, parseDuration } from "../../protocol/duration.ts";
import { ExpectedError, type Flag, parsedFlag } from "../shell/flags.ts";

/** RFC 3339, as far as the second may be left out. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i;

/** A flag that is a time: milliseconds since 1970. */
export function timeFlag(help: string): Flag<number | undefined> {
  return parsedFlag<number | undefined>("TIME", help, undefined, timeOf);
}

/** Milliseconds since 1970 of a time such as `2026-11-27T10:00:00Z`, or of so long ago as a duration such as `10m`. */
export function timeOf(text: string): number {
  const time = TIME.test(text) ? Date.parse(text) : agoOf(text);
  if (Number.isFinite(time) && time >= 0) return time;
  throw new ExpectedError("a time such as 2026-11-27T10:00:00Z, or how long ago, such as 10m");
}

function agoOf(text: string): number {
  try {
    const ms = parseDuration(text);
    return ms >= 0 ? Date.now() - ms : NaN;
  } catch (error) {
    if (error instanceof DurationError) return NaN;
    throw error;
  }
}
