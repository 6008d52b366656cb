/**
 * The parts of a pattern that stand for a set of characters: escapes such as `\n`, `\d` and `\p{Greek}`, and
 * classes in brackets.
 *
 * @module
 */

import {
  anyCase,
  foldCase,
  not,
  PERL_CLASSES,
  posixClass,
  range,
  unicodeClass,
  union,
} from "./char_set.ts";
import type { Cursor } from "./cursor.ts";
import type { CharSet } from "./syntax.ts";

/** Characters that stand for another one after a backslash. */
const CONTROLS: Readonly<Record<string, number | undefined>> = {
  a: 0x07,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
};

/** The set of one character, or of both its cases. */
export function readLiteral(char: string, ignoreCase: boolean): CharSet {
  return one(codePoint(char), ignoreCase);
}

/** What follows a backslash outside brackets. */
export function readEscape(cursor: Cursor, ignoreCase: boolean): CharSet {
  return readNamedSet(cursor, ignoreCase) ?? one(readEscapedChar(cursor), ignoreCase);
}

/** What follows an opening bracket. */
export function readClass(cursor: Cursor, ignoreCase: boolean): CharSet {
  const negated = cursor.skip("^");
  const sets: CharSet[] = [];
  // A closing bracket in the first place stands for itself.
  do sets.push(readClassItem(cursor, ignoreCase)); while (!cursor.skip("]"));
  return negated ? not(union(sets)) : union(sets);
}

function readClassItem(cursor: Cursor, ignoreCase: boolean): CharSet {
  if (cursor.sees("[") && cursor.peek(1) === ":") {
    const rest = cursor.ahead().slice(2);
    const end = rest.indexOf(":]");
    if (end >= 0) {
      cursor.advance(2);
      const name = cursor.until(":");
      cursor.expect("]", "Invalid class name");
      return named(name, posixClass, ignoreCase);
    }
  }
  if (cursor.skip("\\")) {
    const set = readNamedSet(cursor, ignoreCase);
    if (set !== undefined) return set;
    return readRange(cursor, readEscapedChar(cursor), ignoreCase);
  }
  return readRange(cursor, codePoint(cursor.next()), ignoreCase);
}

/** The rest of a range that begins with `low`, if it is one; a hyphen in the last place stands for itself. */
function readRange(cursor: Cursor, low: number, ignoreCase: boolean): CharSet {
  if (!cursor.sees("-") || ["]", ""].includes(cursor.peek(1))) return one(low, ignoreCase);
  cursor.advance(1);
  const high = cursor.skip("\\") ? readEscapedChar(cursor) : codePoint(cursor.next());
  if (high < low) cursor.fail("Range out of order");
  return folded(range(low, high), ignoreCase);
}

/** `\d`, `\pL` and the like, when one is next. */
function readNamedSet(cursor: Cursor, ignoreCase: boolean): CharSet | undefined {
  const char = cursor.peek();
  const lower = char.toLowerCase();
  const perl = PERL_CLASSES[lower];
  if (perl !== undefined) {
    cursor.advance(1);
    const set = folded(perl, ignoreCase);
    return char === lower ? set : not(set);
  }
  if (lower !== "p") return undefined;
  cursor.advance(1);
  const name = cursor.skip("{") ? cursor.until("}") : cursor.next();
  const set = named(name, unicodeClass, ignoreCase);
  return char === lower ? set : not(set);
}

/** The code point of the character that the escape stands for. */
function readEscapedChar(cursor: Cursor): number {
  const char = cursor.next();
  if (isOctal(char)) {
    if (char !== "0" && !isOctal(cursor.peek())) cursor.fail("Backreferences do not exist");
    let digits = char;
    while (digits.length < 3 && isOctal(cursor.peek())) digits += cursor.next();
    return parseInt(digits, 8);
  }
  if (char === "x") return readHex(cursor);
  const control = CONTROLS[char];
  if (control !== undefined) return control;
  if (!/^[\0-\x7f]$/.test(char) || /^[0-9A-Za-z]$/.test(char)) cursor.fail("Unknown escape");
  return codePoint(char);
}

function readHex(cursor: Cursor): number {
  const digits = cursor.skip("{") ? cursor.until("}") : cursor.next() + cursor.next();
  const value = /^[0-9A-Fa-f]+$/.test(digits) ? parseInt(digits, 16) : Infinity;
  if (value > 0x10ffff) cursor.fail("Unknown escape");
  return value;
}

/** A class by name, `^` before the name inverting it. Case is folded before that, not after. */
function named(name: string, find: (name: string) => CharSet, ignoreCase: boolean): CharSet {
  const negated = name.startsWith("^");
  const set = folded(find(negated ? name.slice(1) : name), ignoreCase);
  return negated ? not(set) : set;
}

function one(codePoint: number, ignoreCase: boolean): CharSet {
  return ignoreCase ? anyCase(codePoint) : range(codePoint);
}

function folded(set: CharSet, ignoreCase: boolean): CharSet {
  return ignoreCase ? foldCase(set) : set;
}

function isOctal(char: string): boolean {
  return /^[0-7]$/.test(char);
}

function codePoint(char: string): number {
  return char.codePointAt(0) ?? 0;
}
