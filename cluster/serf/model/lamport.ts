/**
 * Lamport clocks: they order intents, user events and queries without a common wall clock (docs/spec/serf.md 5).
 *
 * @module
 */

/**
 * The largest Lamport time that is accepted or sent: 2^64 - 2. A Go agent that sees 2^64 - 1 wraps its clock
 * to 0 (docs/spec/serf.md 5 and 21.4), so that value is never taken in, passed on or produced here.
 */
export const MAX_LAMPORT_TIME = 2n ** 64n - 2n;

/** A counter that holds the next unused time. It never goes back and stops at {@linkcode MAX_LAMPORT_TIME}. */
export class LamportClock {
  #next: bigint;

  /** A clock whose next unused time is `next`; Serf starts all of its clocks at 1. */
  constructor(next: bigint = 1n) {
    this.#next = next;
  }

  /** The next unused time. */
  time(): bigint {
    return this.#next;
  }

  /** Uses one time up and returns the new next unused one. */
  increment(): bigint {
    if (this.#next < MAX_LAMPORT_TIME) this.#next += 1n;
    return this.#next;
  }

  /**
   * Learns that `time` is in use somewhere: the clock moves past it. A time above
   * {@linkcode MAX_LAMPORT_TIME} is ignored.
   */
  witness(time: bigint): void {
    if (time < this.#next || time > MAX_LAMPORT_TIME) return;
    this.#next = time < MAX_LAMPORT_TIME ? time + 1n : MAX_LAMPORT_TIME;
  }
}
