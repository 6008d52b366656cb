/**
 * From a line to a request.
 *
 * @module
 */

import { MAX_DEPTH, MAX_ID_LENGTH } from "./limits.ts";
import { BAD_JSON, BAD_UTF8, NOT_OBJECT, type Problem, TOO_DEEP } from "./problem.ts";

/** A request as it came: any members, of any type. */
export type Members = Readonly<Record<string, unknown>>;

/** What an answer is told apart by, as the peer chose it. */
export type RequestId = string | number;

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a lenient decoder makes of bytes that are no UTF-8; also a character that a text may have. */
const REPLACEMENT = "\ufffd";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The object in a line, or why there is none. Of a member that is there twice, the last one counts. */
export function readLine(line: Uint8Array): Members | Problem {
  const text = lenient.decode(line);
  if (text.includes(REPLACEMENT) && !isUtf8(line)) return BAD_UTF8;
  // Before anything that could follow the nesting by calling itself.
  if (isTooDeep(text)) return TOO_DEEP;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser throws for nothing but text that is no JSON.
    return BAD_JSON;
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Members
    : NOT_OBJECT;
}

/** Whether what {@linkcode readLine} returned is a problem: a request that looks like one is told by its identity. */
export function isUnreadable(read: Members | Problem): read is Problem {
  return read === BAD_JSON || read === BAD_UTF8 || read === NOT_OBJECT || read === TOO_DEEP;
}

/** Whether a value can be an `id`. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}

/** Takes several times as long as to decode leniently, so most lines are not asked. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    // The decoder throws for nothing else.
    return false;
  }
}

function isTooDeep(text: string): boolean {
  // Few have as many openings at all, and to count those takes a tenth of the time.
  if (count(text, "{") + count(text, "[") <= MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = endOfText(text, at + 1);
      if (at < 0) return false;
    } else if (unit === OPEN_OBJECT || unit === OPEN_LIST) {
      if (++depth > MAX_DEPTH) return true;
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_LIST) {
      depth--;
    }
  }
  return false;
}

/** How often a character is in a text, unless that is more often than {@linkcode MAX_DEPTH}. */
function count(text: string, character: string): number {
  let found = 0;
  for (
    let at = text.indexOf(character);
    at >= 0 && found <= MAX_DEPTH;
    at = text.indexOf(character, at + 1)
  ) found++;
  return found;
}

/** Where the quote is that ends a text of JSON; -1 without one. */
function endOfText(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let first = at;
    while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((at - first) % 2 === 0) return at;
  }
  return -1;
}
