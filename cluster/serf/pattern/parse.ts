/**
 * Reads a regular expression in the syntax of Go's `regexp` package (RE2): no backreferences, no lookaround,
 * flags such as `(?i)` anywhere, POSIX and Unicode classes.
 *
 * @module
 */

import {
  ANY,
  foldCase,
  not,
  NOT_NEWLINE,
  PERL_CLASSES,
  posixClass,
  range,
  unicodeClass,
  union,
} from "./char_set.ts";
import { type CharSet, type Expression, PatternError, type Place } from "./syntax.ts";

/** Longest pattern, in characters. No longer one fits a query of the default limit, 1,024 bytes. */
const MAX_LENGTH = 1_024;

/** Deepest nesting of groups. */
const MAX_DEPTH = 100;

/** Greatest count in `{n,m}`, the same as Go's. */
const MAX_REPEAT = 1_000;

/** i: case does not matter; m: `^` and `$` also match at lines; s: `.` also matches a line feed. */
interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/**
 * Parses `pattern`.
 *
 * @throws {PatternError} when Go would refuse it, or when it is over a bound
 */
export function parse(pattern: string): Expression {
  const chars = Array.from(pattern);
  if (chars.length > MAX_LENGTH) {
    throw new PatternError(`Pattern takes ${chars.length} of ${MAX_LENGTH} characters`);
  }
  return new Parser(chars).all();
}

class Parser {
  readonly #chars: readonly string[];
  readonly #groupNames = new Set<string>();
  #at = 0;
  #flags: Flags = { i: false, m: false, s: false };
  #depth = 0;

  constructor(chars: readonly string[]) {
    this.#chars = chars;
  }

  all(): Expression {
    const expression = this.#alternatives();
    if (this.#at < this.#chars.length) this.#fail("Unexpected ')'");
    return expression;
  }

  /** Everything up to the end of the group. */
  #alternatives(): Expression {
    const options: Expression[] = [];
    do options.push(this.#sequence()); while (this.#skip("|"));
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "either", options };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    let repeatable = false;
    let repeated = false;
    while (this.#at < this.#chars.length && !this.#sees("|") && !this.#sees(")")) {
      const counts = this.#quantifier();
      if (counts !== undefined) {
        const item = parts.pop();
        if (!repeatable || item === undefined) this.#fail("Nothing to repeat");
        if (repeated) this.#fail("Repeated repetition");
        parts.push({ kind: "repeat", item, min: counts[0], max: counts[1] });
        repeated = true;
        continue;
      }
      const part = this.#part();
      repeated = false;
      if (part === undefined) continue;
      parts.push(...part);
      repeatable = part.length > 0;
    }
    return { kind: "sequence", parts };
  }

  /** One part; several for `\Q...\E`, none for flags. */
  #part(): Expression[] | undefined {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return [{ kind: "char", set: this.#class() }];
      case ".":
        return [{ kind: "char", set: this.#flags.s ? ANY : NOT_NEWLINE }];
      case "^":
        return [place(this.#flags.m ? "line-start" : "text-start")];
      case "$":
        return [place(this.#flags.m ? "line-end" : "text-end")];
      case "\\":
        return this.#escape();
      default:
        return [this.#literal(char)];
    }
  }

  #group(): Expression[] | undefined {
    const outer = this.#flags;
    if (this.#skip("?")) {
      if (this.#skip("P")) this.#expect("<", "Unknown group");
      else if (!this.#sees("<")) {
        if (this.#groupFlags() === ")") return undefined;
        return [this.#groupBody(outer)];
      } else this.#at++;
      this.#groupName();
    }
    return [this.#groupBody(outer)];
  }

  #groupBody(outer: Flags): Expression {
    if (++this.#depth > MAX_DEPTH) this.#fail("Groups nest too deep");
    const body = this.#alternatives();
    this.#expect(")", "Missing ')'");
    this.#depth--;
    this.#flags = outer;
    return body;
  }

  #groupName(): void {
    let name = "";
    while (!this.#skip(">")) name += this.#next();
    if (!/^\w+$/.test(name) || this.#groupNames.has(name)) this.#fail("Invalid group name");
    this.#groupNames.add(name);
  }

  /** Takes flags over and returns what ended them: `:` or `)`. */
  #groupFlags(): ":" | ")" {
    const flags = { ...this.#flags };
    let on = true;
    let named = true;
    for (;;) {
      const char = this.#next();
      if (char === ":" || char === ")") {
        if (!named) this.#fail("Missing flag");
        this.#flags = flags;
        return char;
      }
      if (char === "-" && on) {
        on = false;
        named = false;
        continue;
      }
      if (char === "i" || char === "m" || char === "s") flags[char] = on;
      else if (char !== "U") this.#fail("Unknown group or flag");
      named = true;
    }
  }

  /** How often the part before may come; laziness does not change whether there is a match. */
  #quantifier(): [min: number, max: number] | undefined {
    let counts: [number, number] | undefined;
    if (this.#skip("*")) counts = [0, Infinity];
    else if (this.#skip("+")) counts = [1, Infinity];
    else if (this.#skip("?")) counts = [0, 1];
    else if (this.#sees("{")) counts = this.#braces();
    if (counts !== undefined) this.#skip("?");
    return counts;
  }

  /** `{n}`, `{n,}` or `{n,m}`; anything else in braces stands for itself. */
  #braces(): [number, number] | undefined {
    const text = this.#chars.slice(this.#at, this.#at + 16).join("");
    const match = /^\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/.exec(text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === undefined ? Infinity : Number(match[3]);
    if (min > MAX_REPEAT || min > max || (max > MAX_REPEAT && max !== Infinity)) {
      this.#fail("Invalid repeat count");
    }
    return [min, max];
  }

  /** What follows a backslash outside a class. */
  #escape(): Expression[] {
    const char = this.#peek();
    const at = PLACES[char];
    if (at !== undefined) {
      this.#at++;
      return [place(at)];
    }
    if (char === "Q") return this.#quoted();
    const set = this.#namedSet() ?? this.#folded(range(this.#escapedChar()));
    return [{ kind: "char", set }];
  }

  #quoted(): Expression[] {
    this.#at++;
    const parts: Expression[] = [];
    while (this.#at < this.#chars.length) {
      if (this.#sees("\\") && this.#chars[this.#at + 1] === "E") {
        this.#at += 2;
        break;
      }
      parts.push(this.#literal(this.#next()));
    }
    return parts;
  }

  #class(): CharSet {
    const negated = this.#skip("^");
    const sets: CharSet[] = [];
    for (let first = true; first || !this.#sees("]"); first = false) sets.push(this.#classItem());
    this.#at++;
    return negated ? not(union(sets)) : union(sets);
  }

  #classItem(): CharSet {
    if (this.#sees("[") && this.#chars[this.#at + 1] === ":") {
      const text = this.#chars.slice(this.#at + 2).join("");
      const end = text.indexOf(":]");
      if (end >= 0) {
        const name = text.slice(0, end);
        this.#at += 4 + Array.from(name).length;
        return this.#named(name, posixClass);
      }
    }
    if (this.#sees("\\")) {
      this.#at++;
      const named = this.#namedSet();
      if (named !== undefined) return named;
      this.#at--;
    }
    const low = this.#classChar();
    if (!this.#sees("-") || [undefined, "]"].includes(this.#chars[this.#at + 1])) {
      return this.#folded(range(low));
    }
    this.#at++;
    const high = this.#classChar();
    if (high < low) this.#fail("Range out of order");
    return this.#folded(range(low, high));
  }

  #classChar(): number {
    const char = this.#next();
    return char === "\\" ? this.#escapedChar() : codePoint(char);
  }

  /** `\d`, `\pL` and the like, when one is next. */
  #namedSet(): CharSet | undefined {
    const char = this.#peek();
    const perl = PERL_CLASSES[char.toLowerCase()];
    if (perl !== undefined) {
      this.#at++;
      return char === char.toLowerCase() ? this.#folded(perl) : not(this.#folded(perl));
    }
    if (char !== "p" && char !== "P") return undefined;
    this.#at++;
    let name = this.#next();
    if (name === "{") {
      name = "";
      while (!this.#skip("}")) name += this.#next();
    }
    const set = this.#named(name, unicodeClass);
    return char === "p" ? set : not(set);
  }

  /** The character that the escape stands for. */
  #escapedChar(): number {
    const char = this.#next();
    if (/^[0-7]$/.test(char)) {
      if (char !== "0" && !/^[0-7]$/.test(this.#peek())) this.#fail("Backreferences do not exist");
      let digits = char;
      while (digits.length < 3 && /^[0-7]$/.test(this.#peek())) digits += this.#next();
      return parseInt(digits, 8);
    }
    if (char === "x") return this.#hex();
    const control = CONTROLS[char];
    if (control !== undefined) return control;
    if (!/^[\0-\x7f]$/.test(char) || /^[0-9A-Za-z]$/.test(char)) this.#fail("Unknown escape");
    return codePoint(char);
  }

  #hex(): number {
    let digits = "";
    if (this.#skip("{")) { while (!this.#skip("}")) digits += this.#next(); }
    else digits = this.#next() + this.#next();
    const value = /^[0-9A-Fa-f]+$/.test(digits) ? parseInt(digits, 16) : Infinity;
    if (value > 0x10ffff) this.#fail("Unknown escape");
    return value;
  }

  #literal(char: string): Expression {
    return { kind: "char", set: this.#folded(range(codePoint(char))) };
  }

  /** A class by name, `^` before the name inverting it. Case is folded before that, not after. */
  #named(name: string, find: (name: string) => CharSet): CharSet {
    return name.startsWith("^") ? not(this.#folded(find(name.slice(1)))) : this.#folded(find(name));
  }

  #folded(set: CharSet): CharSet {
    return this.#flags.i ? foldCase(set) : set;
  }

  #peek(): string {
    return this.#chars[this.#at] ?? "";
  }

  #sees(char: string): boolean {
    return this.#chars[this.#at] === char;
  }

  #skip(char: string): boolean {
    if (!this.#sees(char)) return false;
    this.#at++;
    return true;
  }

  #expect(char: string, problem: string): void {
    if (!this.#skip(char)) this.#fail(problem);
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) this.#fail("Unexpected end");
    return char;
  }

  #fail(problem: string): never {
    throw new PatternError(`${problem} at ${this.#at} in pattern '${this.#chars.join("")}'`);
  }
}

const PLACES: Readonly<Record<string, Place | undefined>> = {
  A: "text-start",
  z: "text-end",
  b: "word-boundary",
  B: "no-word-boundary",
};

const CONTROLS: Readonly<Record<string, number | undefined>> = {
  a: 0x07,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
};

function place(at: Place): Expression {
  return { kind: "place", place: at };
}

function codePoint(char: string): number {
  return char.codePointAt(0) ?? 0;
}
