/**
 * One timer for all that is due at some time: at rest it comes when something is, and no more often.
 *
 * @module
 */

import type { Clock, Timer } from "../../../cluster/runtime.ts";

/** The worst of so much time is told. */
const WINDOW_MS = 10_000;

/** While there is work it rings this long after the last time: requests expire, and how late the loop is has to be seen. */
const WORK_MS = 20;

/** Rings at the earliest of the times that it is set to. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number) => boolean;
  readonly #lag: LoopLag;
  #timer: Timer | undefined;
  /** When the timer is due, by the clock. */
  #at = Infinity;
  /** Whether it is to ring soon, and has not since. */
  #isSoon = false;
  #isClosed = false;

  /** It is set to nothing. `ring` is called once for all times that are over, and says whether it is to ring again soon. */
  constructor(clock: Clock, ring: (now: number) => boolean) {
    this.#clock = clock;
    this.#ring = ring;
    this.#lag = new LoopLag(clock.now());
  }

  /** How late it was lately at most, in milliseconds: what a busy loop costs everybody. */
  get worstLagMs(): number {
    return this.#lag.worst;
  }

  /** Sees to it that it rings when that time of the clock is over, if not earlier. */
  by(at: number): void {
    if (at >= this.#at || this.#isClosed) return;
    const now = this.#clock.now();
    const pauseMs = Math.max(0, Math.floor(at - now)) + 1;
    this.#timer?.cancel();
    this.#at = now + pauseMs;
    this.#timer = this.#clock.setTimer(pauseMs, () => this.#come());
  }

  /** There is work: it rings soon, and once more after that. */
  soon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    this.by(this.#clock.now() + WORK_MS);
  }

  /** Rings no more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #come(): void {
    const now = this.#clock.now();
    this.#lag.came(now, this.#at);
    this.#at = Infinity;
    const wasSoon = this.#isSoon;
    this.#isSoon = false;
    if (this.#ring(now) || wasSoon) this.by(now + WORK_MS);
  }
}

/** Keeps how late timers were. */
class LoopLag {
  #windowEndsAt: number;
  #current = 0;
  #last = 0;

  /** `now` by the clock of the timers, in milliseconds. */
  constructor(now: number) {
    this.#windowEndsAt = now + WINDOW_MS;
  }

  /** The worst of the last 10 to 20 seconds, in milliseconds. */
  get worst(): number {
    return Math.max(this.#current, this.#last);
  }

  /** A timer has come that was due at `dueAt`. */
  came(now: number, dueAt: number): void {
    this.#current = Math.max(this.#current, now - dueAt);
    if (now < this.#windowEndsAt) return;
    this.#last = this.#current;
    this.#current = 0;
    this.#windowEndsAt = now + WINDOW_MS;
  }
}
