/**
 * Waits that end.
 *
 * @module
 */

import { CODE, TopicError } from "../../../protocol/topics/mod.ts";

/** The longest that a timer runs, in milliseconds. */
const MAX_TIMER_MS = 0x7fff_ffff;

/**
 * What `promise` comes to. Rejects with the reason of the signal when that fires, and with a `TopicError` `REQUEST_TIMEOUT` after
 * `ms` milliseconds.
 */
export async function limited<T>(
  promise: Promise<T>,
  ms: number,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const { promise: end, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal?.reason);
  const text = `Not done within ${ms} ms`;
  const timer = ms > MAX_TIMER_MS
    ? undefined
    : setTimeout(() => reject(new TopicError(CODE.REQUEST_TIMEOUT, text)), ms);
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
