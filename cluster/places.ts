/**
 * Work that runs side by side, but not too much of it.
 *
 * @module
 */

/** A number of places for work; what finds none free waits, first come, first served. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** All of `count` places are free. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Does `work` when a place is free, and gives its result. */
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
