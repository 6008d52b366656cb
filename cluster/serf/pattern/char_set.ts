/**
 * Sets of characters as RE2 has them: ranges, named classes, Unicode classes, case folding.
 *
 * @module
 */

import { type CharSet, PatternError } from "./syntax.ts";

/** Every character. */
export const ANY: CharSet = () => true;

/** Every character but a line feed: what `.` means without the flag `s`. */
export const NOT_NEWLINE: CharSet = (c) => c !== 0x0a;

/** One character, or every character from `low` to `high`. */
export function range(low: number, high: number = low): CharSet {
  return low === high ? (c) => c === low : (c) => c >= low && c <= high;
}

/** Characters of at least one of the sets. */
export function union(sets: readonly CharSet[]): CharSet {
  const [only] = sets;
  return sets.length === 1 && only !== undefined ? only : (c) => sets.some((set) => set(c));
}

/** Characters that are not in `set`. */
export function not(set: CharSet): CharSet {
  return (c) => !set(c);
}

/** Characters that are in `set`, or would be if they were of the other case. */
export function foldCase(set: CharSet): CharSet {
  return remember((c) => set(c) || otherCases(c).some(set));
}

/** The character in any case. Also finds those, such as the Kelvin sign, that are no letter's usual other case. */
export function anyCase(codePoint: number): CharSet {
  const folded = foldedForm(codePoint);
  return remember((c) => c === codePoint || foldedForm(c) === folded);
}

/** The same set, with the answers for ASCII remembered. */
function remember(set: CharSet): CharSet {
  const known: boolean[] = [];
  return (c) => c < 0x80 ? (known[c] ??= set(c)) : set(c);
}

/** The classes `\d`, `\s` and `\w`, which are ASCII only. */
export const PERL_CLASSES: Readonly<Record<string, CharSet>> = {
  d: ascii("0-9"),
  s: ascii("\t\n\f\r "),
  w: ascii("0-9A-Za-z_"),
};

const POSIX_CLASSES: Readonly<Record<string, CharSet>> = {
  alnum: ascii("0-9A-Za-z"),
  alpha: ascii("A-Za-z"),
  ascii: range(0, 0x7f),
  blank: ascii("\t "),
  cntrl: union([range(0, 0x1f), range(0x7f)]),
  digit: ascii("0-9"),
  graph: range(0x21, 0x7e),
  lower: ascii("a-z"),
  print: range(0x20, 0x7e),
  punct: union([range(0x21, 0x2f), range(0x3a, 0x40), range(0x5b, 0x60), range(0x7b, 0x7e)]),
  space: ascii("\t-\r "),
  upper: ascii("A-Z"),
  word: ascii("0-9A-Za-z_"),
  xdigit: ascii("0-9A-Fa-f"),
};

/**
 * The class that `[:name:]` stands for.
 *
 * @throws {PatternError} when there is none
 */
export function posixClass(name: string): CharSet {
  const set = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
  if (set === undefined) throw new PatternError(`Unknown character class '[:${name}:]'`);
  return set;
}

/**
 * The class that `\p{name}` stands for: a general category of one or two letters, or a script.
 *
 * @throws {PatternError} when there is none
 */
export function unicodeClass(name: string): CharSet {
  if (name === "Any") return ANY;
  const property = name.length <= 2 ? name : `Script=${name}`;
  if (!/^[A-Za-z_=]+$/.test(property)) {
    throw new PatternError(`Unknown Unicode class '${name}'`);
  }
  let matcher: RegExp;
  try {
    matcher = new RegExp(`^\\p{${property}}$`, "u");
  } catch (cause) {
    throw new PatternError(`Unknown Unicode class '${name}'`, { cause });
  }
  return (c) => matcher.test(String.fromCodePoint(c));
}

/** `a-z` is a range, any other character stands for itself. */
function ascii(description: string): CharSet {
  const sets: CharSet[] = [];
  for (let i = 0; i < description.length; i++) {
    const low = description.charCodeAt(i);
    if (description[i + 1] === "-" && i + 2 < description.length) {
      sets.push(range(low, description.charCodeAt(i + 2)));
      i += 2;
    } else {
      sets.push(range(low));
    }
  }
  return union(sets);
}

/** The same letter in other cases; nothing where a case takes more than one character. */
function otherCases(codePoint: number): number[] {
  const lower = lowerCase(codePoint);
  return [lower, upperCase(codePoint), upperCase(lower)];
}

/** What all cases of one letter have in common. */
function foldedForm(codePoint: number): number {
  return upperCase(lowerCase(codePoint));
}

function lowerCase(codePoint: number): number {
  return single(String.fromCodePoint(codePoint).toLowerCase()) ?? codePoint;
}

function upperCase(codePoint: number): number {
  return single(String.fromCodePoint(codePoint).toUpperCase()) ?? codePoint;
}

/** The code point of a text of one character. */
function single(text: string): number | undefined {
  const [char, more] = Array.from(text);
  return more === undefined ? char?.codePointAt(0) : undefined;
}
