/**
 * How fast sessions may begin: a bucket of tokens that fills as time goes.
 *
 * @module
 */

import { CREATIONS_AT_ONCE, CREATIONS_PER_SECOND } from "./limits.ts";

/** The beginnings of sessions at one server. */
export class Creations {
  #tokens = CREATIONS_AT_ONCE;
  #filledAt = 0;

  /** Takes one, at a time in milliseconds; false when there is none. */
  take(now: number): boolean {
    const filled = this.#tokens + (now - this.#filledAt) * CREATIONS_PER_SECOND / 1_000;
    this.#tokens = Math.min(CREATIONS_AT_ONCE, filled);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
