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

/**
 * Up to here any time is taken: a cluster may have run for any time before this node comes, and leaves as many times
 * above it. No cluster gets there by itself, at a million events a second not in 290,000 years.
 */
const MIDDLE = 2n ** 63n;

/**
 * Above the middle one message moves a clock by so much at most: to use all times up takes 2^31 of them. A node that
 * was away catches up as long as it missed fewer events.
 */
const STEP = 2n ** 32n;

/** The latest time that a node which knows of none takes from others, and so from a rejoin file. */
export const MAX_FIRST_TIME = MIDDLE + STEP;

/** The latest time that a node follows a peer to which it was told to join: it leaves many above it. */
const MAX_FOLLOWED = 2n ** 64n - 2n ** 60n;

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

  /**
   * Learns the time of a peer that is trusted: also one that {@linkcode LamportClock.isFarFetched}, as long as many are
   * left above it.
   */
  follow(time: bigint): void {
    if (time >= this.#next && time <= MAX_FOLLOWED) this.#next = time + 1n;
  }

  /** Whether a time that somebody else used is so far ahead that it must be wrong: it is not to be taken in. */
  isFarFetched(time: bigint): boolean {
    return time > MAX_FIRST_TIME && time > this.#next + STEP;
  }

  /** Uses one time up and returns the new next unused one. */
  increment(): bigint {
    if (this.#next < MAX_LAMPORT_TIME) this.#next += 1n;
    return this.#next;
  }

  /**
   * Learns that `time` is in use somewhere: the clock moves past it. A time that
   * {@linkcode LamportClock.isFarFetched} is ignored.
   */
  witness(time: bigint): void {
    if (time < this.#next || time > MAX_LAMPORT_TIME || this.isFarFetched(time)) return;
    this.#next = time < MAX_LAMPORT_TIME ? time + 1n : MAX_LAMPORT_TIME;
  }
}
