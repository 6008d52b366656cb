/**
 * Small numbers in place of names, so that what a thousand nodes know of a thousand others fits into arrays.
 *
 * @module
 */

/** The numbers of names, from 0 on, in the order in which they came up. */
export class Names {
  readonly #numbers = new Map<string, number>();

  /** The number of a name. */
  of(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }
}
