/**
 * Who guesses is slowed down: after some failures an address has to wait, each time longer.
 *
 * @module
 */

/** Failures of one address that cost nothing: people mistype. */
const FREE = 4;
/** The first wait after those, which each further failure doubles, and the longest, in milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** An address without a failure for this long is forgotten, in milliseconds. */
const FORGET_MS = 10 * 60_000;
/** Addresses that are remembered. When there are more, the one that has failed least lately is forgotten. */
export const MAX_SOURCES = 4_096;

/** Remembers which addresses have failed. */
export class Attempts {
  readonly #now: () => number;
  /** In the order of their last failures. */
  readonly #sources = new Map<string, { failures: number; last: number; until: number }>();

  /** @param now Tells the time, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#sources.size;
  }

  /** Whether an address has to wait. */
  mustWait(source: string): boolean {
    const one = this.#sources.get(source);
    return one !== undefined && this.#now() < one.until;
  }

  /** An address has failed. */
  failed(source: string): void {
    const now = this.#now();
    const before = this.#sources.get(source);
    const isKnown = before !== undefined && now - before.last < FORGET_MS;
    const failures = isKnown ? before.failures + 1 : 1;
    const wait = failures <= FREE
      ? 0
      : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - FREE - 1));
    this.#sources.delete(source);
    this.#sources.set(source, { failures, last: now, until: now + wait });
    this.#forget(now);
  }

  #forget(now: number): void {
    for (const [source, { last }] of this.#sources) {
      if (this.#sources.size <= MAX_SOURCES && now - last < FORGET_MS) return;
      this.#sources.delete(source);
    }
  }
}
