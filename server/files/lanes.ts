/**
 * Work that is done one after the other where it concerns the same thing, and at once where it does not.
 *
 * @module
 */

/** Queues by name. Work may stand in several; it begins when it is the first in each. */
export class Lanes {
  readonly #ends = new Map<string, Promise<void>>();

  /** Does `work` when all that was called before for any of `names` is over, whether it failed or not. */
  run<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const result = Promise.all(names.map((name) => this.#ends.get(name))).then(work);
    const end = result.then(() => {}, () => {}).then(() => {
      for (const name of names) if (this.#ends.get(name) === end) this.#ends.delete(name);
    });
    for (const name of names) this.#ends.set(name, end);
    return result;
  }

  /** Whether work of that name is under way or waits. */
  isBusy(name: string): boolean {
    return this.#ends.has(name);
  }

  /** Resolves when all that was called before is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#ends.values());
  }
}
