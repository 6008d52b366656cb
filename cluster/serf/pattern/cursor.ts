/**
 * A place in the text of a pattern.
 *
 * @module
 */

import { PatternError } from "./syntax.ts";

/** Reads a pattern character by character, where a character is a code point. */
export class Cursor {
  readonly #chars: readonly string[];
  #at = 0;

  /** At the start of `pattern`. */
  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  /** Characters of the whole pattern. */
  get length(): number {
    return this.#chars.length;
  }

  /** Whether everything was read. */
  get atEnd(): boolean {
    return this.#at >= this.#chars.length;
  }

  /** The character that is `ahead` of the next one; "" past the end. */
  peek(ahead = 0): string {
    return this.#chars[this.#at + ahead] ?? "";
  }

  /** The next `count` characters, or as many as there are; all when no count is given. */
  ahead(count?: number): string {
    return this.#chars.slice(this.#at, count === undefined ? undefined : this.#at + count).join("");
  }

  /** Whether `char` comes next. */
  sees(char: string): boolean {
    return this.#chars[this.#at] === char;
  }

  /** Moves past `char` when it comes next, and tells whether it did. */
  skip(char: string): boolean {
    if (!this.sees(char)) return false;
    this.#at++;
    return true;
  }

  /** Moves past `count` characters. */
  advance(count: number): void {
    this.#at += count;
  }

  /**
   * Moves past `char`.
   *
   * @throws {PatternError} with this problem when something else comes next
   */
  expect(char: string, problem: string): void {
    if (!this.skip(char)) this.fail(problem);
  }

  /**
   * The next character.
   *
   * @throws {PatternError} at the end
   */
  next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) this.fail("Unexpected end");
    return char;
  }

  /** Everything up to the next `end`, which is passed over too. */
  until(end: string): string {
    let text = "";
    while (!this.skip(end)) text += this.next();
    return text;
  }

  /** Throws a {@linkcode PatternError} that names the problem, the place and the pattern. */
  fail(problem: string): never {
    throw new PatternError(`${problem} at ${this.#at} in pattern '${this.#chars.join("")}'`);
  }
}
