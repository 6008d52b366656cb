/**
 * Waiting that ends: by an answer, by a signal or after a time.
 *
 * @module
 */

import type { Alarms } from "./alarms.ts";

export type { CallOptions } from "../../protocol/call_options.ts";

/** The longest a timer can run: 2^31-1 ms, 24 days. */
const MAX_TIMER_MS = 0x7fff_ffff;

/** How {@linkcode waitFor} ends without an answer. */
export interface Deadline {
  /** Ends the wait with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds until the wait ends with `timeoutError()`. */
  readonly timeoutMs: number;
  /** What tells that they have passed, for waits of which many run at once. Default: a timer of its own. */
  readonly alarms?: Alarms;
  /** What the wait rejects with after that time. */
  timeoutError(): Error;
  /** Called when nobody waits any more, so that what was started can be undone. */
  giveUp(): void;
}

/** The two ways to end a wait. */
export interface Settle<T> {
  /** Ends it with a value. */
  resolve(value: T): void;
  /** Ends it with an error. */
  reject(error: unknown): void;
}

/** Runs `start` and waits until it settles or `deadline` passes. `start` does not run when the signal was given before. */
export function waitFor<T>(deadline: Deadline, start: (settle: Settle<T>) => void): Promise<T> {
  const { signal, timeoutMs, alarms } = deadline;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const stopWaiting = (): void => {
      clearTimeout(timer);
      if (alarm !== undefined) alarms?.clear(alarm);
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (error: unknown): void => {
      stopWaiting();
      reject(error);
      deadline.giveUp();
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const onTime = (): void => giveUp(deadline.timeoutError());
    const isLimited = timeoutMs !== Infinity;
    const alarm = isLimited ? alarms?.set(timeoutMs, onTime) : undefined;
    const timer = isLimited && alarms === undefined
      ? setTimeout(onTime, Math.min(timeoutMs, MAX_TIMER_MS))
      : undefined;
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle: Settle<T> = {
      resolve(value): void {
        stopWaiting();
        resolve(value);
      },
      reject(error): void {
        stopWaiting();
        reject(error);
      },
    };
    try {
      start(settle);
    } catch (error) {
      settle.reject(error);
    }
  });
}

/** Resolves after `ms` milliseconds, at most 24 days, or when `signal` is given. Leaves no timer behind. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const end = {
    signal,
    timeoutMs: ms,
    timeoutError: () => new Error("Pause is over"),
    giveUp() {},
  };
  // Both ends of the wait are rejections, and neither is a failure.
  return waitFor<void>(end, () => {}).catch(() => {});
}
