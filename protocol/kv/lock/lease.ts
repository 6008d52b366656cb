/**
 * When a lease is to be renewed, and when its holder must not count on it any more: nothing but numbers.
 *
 * @module
 */

/** Times of one lease, in milliseconds of the holder's clock. */
export interface Lease {
  /** It is to be renewed from here on. */
  readonly renewAt: number;
  /** Its holder holds nothing from here on. */
  readonly endsAt: number;
}

/** The shortest and the longest lease, in milliseconds: a tenth of less is no allowance, and more is no lease. */
export const LEASE_MS = { least: 100, most: 24 * 60 * 60 * 1_000 } as const;

/** A request about a lock is not waited for longer than this, in milliseconds. */
const LONGEST_REQUEST_MS = 10_000;

/**
 * The lease that comes of a request that was sent at `sentAt`. Servers count from when they decide on it, which is later; so the
 * lease ends here first, and a tenth of it sooner still: for clocks that run at another rate, and for servers whose clocks
 * differ from each other.
 */
export function leaseFrom(sentAt: number, ttlMs: number): Lease {
  return { renewAt: sentAt + ttlMs / 3, endsAt: sentAt + ttlMs - ttlMs / 10 };
}

/** How long one request about a lock is waited for: there is time for a second one before the lease ends. */
export function requestLimit(ttlMs: number): number {
  return Math.min(ttlMs / 3, LONGEST_REQUEST_MS);
}

/** How long it is waited after a request that failed. */
export function retryPause(ttlMs: number): number {
  return Math.max(10, Math.min(ttlMs / 20, 1_000));
}
