/**
 * Time, for what the program around an agent waits for.
 *
 * @module
 */

import { CODE, TopicError } from "../../../protocol/topics/mod.ts";
import {
  limited as limitedBy,
  type Timing,
} from "../../../protocol/topics/program/consumer/timing.ts";

/** The clock of this process. */
export const TIMING: Timing = {
  now: () => performance.now(),
  setTimer(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** Why something that took so many milliseconds did not come about. */
export function late(ms: number): TopicError {
  return new TopicError(CODE.REQUEST_TIMEOUT, `Not done within ${ms} ms`);
}

/**
 * What `promise` comes to. Rejects with the reason of the signal when that fires, and with a `TopicError` `REQUEST_TIMEOUT` after
 * `timeoutMs` milliseconds.
 */
export function limited<T>(
  promise: Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  return limitedBy(TIMING, promise, { timeoutMs, ...signal && { signal } }, () => late(timeoutMs));
}
