/**
 * Waiting, but not for ever.
 *
 * @module
 */

/** The longest wait that `setTimeout` takes, in milliseconds; a longer one would be over at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** What `promise` gives, or `undefined` after `ms` milliseconds, at most 24 days. Leaves no timer behind. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), Math.min(ms, LONGEST_TIMEOUT_MS));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms` milliseconds, at most 24 days, or when `signal` aborts. Leaves no timer behind. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, LONGEST_TIMEOUT_MS));
    signal.addEventListener("abort", end);
  });
}
