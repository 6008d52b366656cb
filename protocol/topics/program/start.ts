/**
 * Where reading begins, as programs say it.
 *
 * @module
 */

import { kindOf } from "../../arguments.ts";
import { nanosecondsOfTime } from "./messages.ts";
import type { TopicStart } from "./types.ts";

/**
 * Checks where reading begins; `name` says of what.
 *
 * @throws {TypeError} when it is no place
 * @throws {RangeError} when it is a time that messages cannot have
 */
export function checkStart(name: string, start: TopicStart): void {
  if (start === "earliest" || start === "latest") return;
  if (Number.isSafeInteger(start) && (start as number) >= 0) return;
  if (isTime(start)) return void wireTime(start.time);
  const expected = 'expected "earliest", "latest", an offset or a time';
  throw new TypeError(`Invalid ${name}: ${expected}, got ${kindOf(start)}`);
}

/** Whether reading begins at a time. */
export function isTime(start: TopicStart): start is { readonly time: Date | number } {
  return typeof start === "object" && start !== null && "time" in start;
}

/**
 * A time as requests have it, in nanoseconds since 1970.
 *
 * @throws {TypeError} when it is no time
 * @throws {RangeError} when it is before 1970 or after what 64 bits hold
 */
export function wireTime(time: Date | number): bigint {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms !== "number" || !Number.isFinite(ms)) {
    throw new TypeError(`Invalid time: expected a date or milliseconds, got ${kindOf(time)}`);
  }
  if (ms < 0) throw new RangeError(`Time is ${ms} ms, expected one from 1970 on`);
  return nanosecondsOfTime(ms);
}
