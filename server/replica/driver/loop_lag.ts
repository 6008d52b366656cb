/**
 * How late timers are: what a busy loop costs everybody.
 *
 * @module
 */

import type { Clock } from "../../../cluster/runtime.ts";

/** The worst of so much time is told. */
const WINDOW_MS = 10_000;

/** Measures how late a timer is that is to come at equal pauses. */
export class LoopLag {
  readonly #pauseMs: number;
  #expectedAt: number;
  #windowEndsAt: number;
  #current = 0;
  #last = 0;

  /** `pauseMs` from now on it is due for the first time. */
  constructor(clock: Clock, pauseMs: number) {
    this.#pauseMs = pauseMs;
    this.#expectedAt = clock.now() + pauseMs;
    this.#windowEndsAt = clock.now() + WINDOW_MS;
  }

  /** The worst of the last 10 to 20 seconds, in milliseconds. */
  get worst(): number {
    return Math.max(this.#current, this.#last);
  }

  /** The timer has come, and is set anew. */
  tick(now: number): void {
    this.#current = Math.max(this.#current, now - this.#expectedAt);
    this.#expectedAt = now + this.#pauseMs;
    if (now < this.#windowEndsAt) return;
    this.#last = this.#current;
    this.#current = 0;
    this.#windowEndsAt = now + WINDOW_MS;
  }
}
