/**
 * Work that is done one after the other where it concerns the same thing, and at once where it does not.
 *
 * @module
 */

/** Queues by name. Work may stand in several; it begins when it is the first in each. */
export class Lanes {
  readonly #ends = new Map<string, Promise<void>>();

  /**
   * Does `work` when all that was called before for any of `names` is over, whether it failed or not; now, if it is. Work that returns
   * no promise is over then. It must not itself begin other work of its lanes.
   */
  run<T>(names: readonly string[], work: () => T | Promise<T>): Promise<T> {
    const before = names.flatMap((name) => this.#ends.get(name) ?? []);
    if (before.length > 0) return this.#added(names, Promise.all(before).then(work));
    try {
      const result = work();
      return result instanceof Promise ? this.#added(names, result) : Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #added<T>(names: readonly string[], result: Promise<T>): Promise<T> {
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
