/**
 * Time, as who makes a consumer gives it, and waits that end.
 *
 * @module
 */

import type { CallOptions } from "../../../call_options.ts";

/** A clock and its timers. */
export interface Timing {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `fn` after so many milliseconds; what is returned takes that back. */
  setTimer(ms: number, fn: () => void): () => void;
}

/** A call whose time is known. */
export type LimitedCall = CallOptions & { readonly timeoutMs: number };

/** The longest that a timer runs, in milliseconds. */
const MAX_TIMER_MS = 0x7fff_ffff;

/** What `promise` comes to; rejects with `late()` when its time is over, and with the reason of the signal when that fires. */
export function limited<T>(
  timing: Timing,
  promise: Promise<T>,
  { signal, timeoutMs }: LimitedCall,
  late: () => Error,
): Promise<T> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const cancel = timeoutMs > MAX_TIMER_MS
      ? undefined
      : timing.setTimer(timeoutMs, () => end(() => reject(late())));
    const onAbort = (): void => end(() => reject(signal?.reason));
    const end = (settle: () => void): void => {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    promise.then((value) => end(() => resolve(value)), (error) => end(() => reject(error)));
  });
}

/** Something that is waited for again and again. */
export class Bell {
  #ringing: { readonly heard: Promise<void>; readonly ring: () => void } | undefined;

  /** Resolves when it is rung next. */
  heard(): Promise<void> {
    if (this.#ringing === undefined) {
      let ring = (): void => {};
      const heard = new Promise<void>((resolve) => ring = resolve);
      this.#ringing = { heard, ring };
    }
    return this.#ringing.heard;
  }

  /** Wakes all who wait. */
  ring(): void {
    this.#ringing?.ring();
    this.#ringing = undefined;
  }
}
