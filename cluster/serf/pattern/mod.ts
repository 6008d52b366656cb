/**
 * Regular expressions of Go's syntax that cannot be made to run for long (serf.md 11.2, agent.md 3).
 *
 * @module
 */

import { parse } from "./parse.ts";
import { Program } from "./program.ts";

export { PatternError } from "./syntax.ts";

/** Most instructions of a pattern. `a{1000}` takes 1,000 of them. */
export const MAX_PATTERN_SIZE = 4_096;

/** A compiled regular expression. */
export interface Pattern {
  /** How many instructions it takes; one `test` takes at most that many steps for each character. */
  readonly size: number;
  /** Whether the pattern is found anywhere in `text`. */
  test(text: string): boolean;
}

/**
 * Compiles a regular expression in the syntax of Go's `regexp` package.
 *
 * @param maxSize instructions to spend at most, up to {@linkcode MAX_PATTERN_SIZE}
 * @throws {PatternError} when Go would refuse it, or when it has over 1,024 characters, 100 nested groups or
 * `maxSize` instructions
 */
export function compilePattern(pattern: string, maxSize: number = MAX_PATTERN_SIZE): Pattern {
  return new Program(parse(pattern), Math.min(maxSize, MAX_PATTERN_SIZE));
}
