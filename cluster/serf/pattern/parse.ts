/**
 * Reads a regular expression in the syntax of Go's `regexp` package (RE2): no backreferences, no lookaround,
 * flags such as `(?i)` anywhere, POSIX and Unicode classes.
 *
 * @module
 */

import { ANY, NOT_NEWLINE } from "./char_set.ts";
import { Cursor } from "./cursor.ts";
import { readClass, readEscape, readLiteral } from "./sets.ts";
import type { CharSet, Expression, Place } from "./syntax.ts";

/** Longest pattern, in characters. No longer one fits a query of the default limit, 1,024 bytes. */
const MAX_LENGTH = 1_024;

/** Deepest nesting of groups. */
const MAX_DEPTH = 100;

/** Greatest count in `{n,m}`, the same as Go's. */
const MAX_REPEAT = 1_000;

/** Longest `{n,m}` that is one, `{1000,1000}`, and some more to tell that a count is too large. */
const MAX_BRACES_LENGTH = 16;

/** i: case does not matter; m: `^` and `$` also match at lines; s: `.` also matches a line feed. */
interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/** Letters after a backslash that stand for a place. */
const PLACES: Readonly<Record<string, Place | undefined>> = {
  A: "text-start",
  z: "text-end",
  b: "word-boundary",
  B: "no-word-boundary",
};

/**
 * Parses `pattern`.
 *
 * @throws {PatternError} when Go would refuse it, or when it is over a bound
 */
export function parse(pattern: string): Expression {
  const cursor = new Cursor(pattern);
  if (cursor.length > MAX_LENGTH) {
    cursor.fail(`Pattern takes ${cursor.length} of ${MAX_LENGTH} characters`);
  }
  return new Parser(cursor).all();
}

class Parser {
  readonly #cursor: Cursor;
  #flags: Flags = { i: false, m: false, s: false };
  #depth = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  all(): Expression {
    const expression = this.#alternatives();
    if (!this.#cursor.atEnd) this.#cursor.fail("Unexpected ')'");
    return expression;
  }

  /** Everything up to the end of the group. */
  #alternatives(): Expression {
    const options: Expression[] = [];
    do options.push(this.#sequence()); while (this.#cursor.skip("|"));
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "either", options };
  }

  #sequence(): Expression {
    const cursor: Cursor = this.#cursor;
    const parts: Expression[] = [];
    let repeatable = false;
    let repeated = false;
    while (!cursor.atEnd && !cursor.sees("|") && !cursor.sees(")")) {
      const counts = this.#quantifier();
      if (counts !== undefined) {
        const item = parts.pop();
        if (!repeatable || item === undefined) cursor.fail("Nothing to repeat");
        if (repeated) cursor.fail("Repeated repetition");
        parts.push({ kind: "repeat", item, min: counts[0], max: counts[1] });
        repeated = true;
        continue;
      }
      repeated = false;
      const part = this.#part();
      if (part === undefined) continue;
      parts.push(...part);
      repeatable = part.length > 0;
    }
    return { kind: "sequence", parts };
  }

  /** One part; several for `\Q...\E`, none for flags. */
  #part(): Expression[] | undefined {
    const char = this.#cursor.next();
    const { i, m, s } = this.#flags;
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return [oneOf(readClass(this.#cursor, i))];
      case ".":
        return [oneOf(s ? ANY : NOT_NEWLINE)];
      case "^":
        return [place(m ? "line-start" : "text-start")];
      case "$":
        return [place(m ? "line-end" : "text-end")];
      case "\\":
        return this.#escape();
      default:
        return [oneOf(readLiteral(char, i))];
    }
  }

  #escape(): Expression[] {
    const cursor: Cursor = this.#cursor;
    const at = PLACES[cursor.peek()];
    if (at !== undefined) {
      cursor.advance(1);
      return [place(at)];
    }
    return cursor.skip("Q") ? this.#quoted() : [oneOf(readEscape(cursor, this.#flags.i))];
  }

  /** Characters up to `\E` or the end that stand for themselves. */
  #quoted(): Expression[] {
    const cursor: Cursor = this.#cursor;
    const parts: Expression[] = [];
    while (!cursor.atEnd) {
      if (cursor.sees("\\") && cursor.peek(1) === "E") {
        cursor.advance(2);
        break;
      }
      parts.push(oneOf(readLiteral(cursor.next(), this.#flags.i)));
    }
    return parts;
  }

  #group(): Expression[] | undefined {
    const cursor: Cursor = this.#cursor;
    const outer = this.#flags;
    if (!cursor.skip("?")) return [this.#groupBody(outer)];
    if (cursor.skip("P")) {
      cursor.expect("<", "Unknown group");
      this.#groupName();
    } else if (cursor.skip("<")) {
      this.#groupName();
    } else if (this.#groupFlags() === ")") {
      return undefined;
    }
    return [this.#groupBody(outer)];
  }

  #groupBody(outer: Flags): Expression {
    if (++this.#depth > MAX_DEPTH) this.#cursor.fail("Groups nest too deep");
    const body = this.#alternatives();
    this.#cursor.expect(")", "Missing ')'");
    this.#depth--;
    this.#flags = outer;
    return body;
  }

  #groupName(): void {
    if (!/^\w+$/.test(this.#cursor.until(">"))) this.#cursor.fail("Invalid group name");
  }

  /** Takes flags over and returns what ended them: `:` or `)`. */
  #groupFlags(): ":" | ")" {
    const flags = { ...this.#flags };
    let on = true;
    let named = true;
    for (;;) {
      const char = this.#cursor.next();
      if (char === ":" || char === ")") {
        if (!named) this.#cursor.fail("Missing flag");
        this.#flags = flags;
        return char;
      }
      if (char === "-" && on) {
        on = false;
        named = false;
        continue;
      }
      if (char === "i" || char === "m" || char === "s") flags[char] = on;
      else if (char !== "U") this.#cursor.fail("Unknown group or flag");
      named = true;
    }
  }

  /** How often the part before may come; laziness does not change whether there is a match. */
  #quantifier(): [min: number, max: number] | undefined {
    const cursor: Cursor = this.#cursor;
    let counts: [number, number] | undefined;
    if (cursor.skip("*")) counts = [0, Infinity];
    else if (cursor.skip("+")) counts = [1, Infinity];
    else if (cursor.skip("?")) counts = [0, 1];
    else if (cursor.sees("{")) counts = this.#braces();
    if (counts !== undefined) cursor.skip("?");
    return counts;
  }

  /** `{n}`, `{n,}` or `{n,m}`; anything else in braces stands for itself. */
  #braces(): [number, number] | undefined {
    const match = /^\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/.exec(this.#cursor.ahead(MAX_BRACES_LENGTH));
    if (match === null) return undefined;
    this.#cursor.advance(match[0].length);
    const [, low, comma, high] = match;
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? Infinity : Number(high);
    if (min > MAX_REPEAT || min > max || (max > MAX_REPEAT && max !== Infinity)) {
      this.#cursor.fail("Invalid repeat count");
    }
    return [min, max];
  }
}

function oneOf(set: CharSet): Expression {
  return { kind: "char", set };
}

function place(at: Place): Expression {
  return { kind: "place", place: at };
}
