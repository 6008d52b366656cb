/**
 * Lets few of many do something at a time.
 *
 * @module
 */

/** A counting semaphore. Who waits comes in the order of asking. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** Lets at most `most` in. */
  constructor(most: number) {
    this.#free = most;
  }

  /** Does the work when there is room for it. Settles as the work does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
