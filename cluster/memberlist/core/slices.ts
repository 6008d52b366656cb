/**
 * Long work in pieces, so that a node goes on to answer while it takes in what thousands of nodes are.
 *
 * @module
 */

import { ShutdownError } from "./errors.ts";
import type { Timers } from "./timers.ts";

/** So many nodes are handled at a time: some three milliseconds for nodes that are new. */
export const NODES_PER_SLICE = 256;

/** Gives turns to those who have long work, one at a time, with a turn of everything else in between. */
export class Slices {
  readonly #timers: Timers;
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = [];
  #isSet = false;

  /** Nobody waits. */
  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves when the next piece may begin. Rejects with {@linkcode ShutdownError}. */
  next(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#set();
    });
  }

  /** Does `work`, whose pieces end where it yields: the first one at once, the others in turns. */
  run(work: Iterator<void>): void | Promise<void> {
    if (work.next().done !== true) return this.#finish(work);
  }

  async #finish(work: Iterator<void>): Promise<void> {
    do await this.next(); while (work.next().done !== true);
  }

  #set(): void {
    if (this.#isSet || this.#waiting.length === 0) return;
    this.#isSet = true;
    this.#timers.set(0, () => {
      this.#isSet = false;
      this.#waiting.shift()?.resolve();
      this.#set();
    }, () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new ShutdownError());
    });
  }
}
