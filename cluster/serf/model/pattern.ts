/**
 * Regular expressions of Go's syntax that cannot be made to run for long (docs/spec/serf.md 11.2; docs/spec/agent.md 3,
 * members). The engine is RE2's, so the time of a match grows with the length of the text only. It takes 10 ms to load,
 * which most agents never need to spend.
 *
 * @module
 */

import type { RE2JS } from "./_re2.ts";

/** Longest pattern, in UTF-16 units. One that comes by gossip is shorter: it has to fit a packet. */
export const MAX_PATTERN_LENGTH = 1_024;

/** Most instructions of a pattern. `a{1000}` takes about 1,000 of them. */
export const MAX_PATTERN_SIZE = 4_096;

/**
 * A regular expression that is invalid or too large.
 *
 * @example
 * ```ts
 * import { Agent, PatternError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * assert.throws(() => agent.members({ name: "web-[" }), PatternError);
 * ```
 */
export class PatternError extends Error {
  /** Names the class in logs. */
  override readonly name = "PatternError";
}

/** A compiled regular expression. */
export interface Pattern {
  /** How many instructions it takes; one `test` takes at most that many steps for each character. */
  readonly size: number;
  /** Whether the pattern is found anywhere in `text`, whose invalid bytes are U+FFFD each, as in Go. */
  test(text: string): boolean;
}

/** Loaded late, as an agent starts without; it never changes. */
let engine: typeof RE2JS | undefined;

/** Whether {@linkcode compilePattern} can be used. */
export function hasPatterns(): boolean {
  return engine !== undefined;
}

/** Loads what {@linkcode compilePattern} needs, once. Rejects when it is not installed. */
export async function loadPatterns(): Promise<void> {
  engine ??= (await import("./_re2.ts")).RE2JS;
}

/**
 * Compiles a regular expression in the syntax of Go's `regexp` package.
 *
 * @param maxSize instructions to spend at most, up to {@linkcode MAX_PATTERN_SIZE}
 * @throws {PatternError} when Go would refuse it, or when it has over {@linkcode MAX_PATTERN_LENGTH} characters or
 * `maxSize` instructions
 * @throws {Error} before {@linkcode loadPatterns} was awaited
 */
export function compilePattern(pattern: string, maxSize: number = MAX_PATTERN_SIZE): Pattern {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`Pattern takes ${pattern.length} of ${MAX_PATTERN_LENGTH} characters`);
  }
  // In Go's words; the engine would take the byte for a character.
  const invalid = /\p{Cs}.*/su.exec(pattern);
  if (invalid !== null) {
    throw new PatternError(`error parsing regexp: invalid UTF-8: \`${invalid[0]}\``);
  }
  const compiled = parse(pattern);
  const size = compiled.programSize();
  const limit = Math.min(maxSize, MAX_PATTERN_SIZE);
  if (size > limit) throw new PatternError(`Pattern takes ${size} of ${limit} instructions`);
  return { size, test: (text) => compiled.test(text.toWellFormed()) };
}

function parse(pattern: string): RE2JS {
  if (engine === undefined) throw new Error("Patterns need 'await loadPatterns()' before");
  try {
    return engine.compile(pattern);
  } catch (cause) {
    throw new PatternError((cause as Error).message, { cause });
  }
}
