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

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The object in a line, or why there is none. Of a member that is there twice, the last one counts. */
export function readLine(line: Uint8Array): Members | Problem {
  // Before anything that could follow the nesting by calling itself.
  if (line.length > MAX_DEPTH && isTooDeep(line)) return TOO_DEEP;
  let text: string;
  try {
    text = decoder.decode(line);
  } catch {
    // The decoder throws for nothing but bytes that are no UTF-8.
    return BAD_UTF8;
  }
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

function isTooDeep(line: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const byte = line[at];
    if (byte === QUOTE) {
      at = endOfText(line, at + 1);
      if (at < 0) return false;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--;
    }
  }
  return false;
}

/** Where the quote is that ends a text; -1 without one. */
function endOfText(line: Uint8Array, from: number): number {
  for (let at = line.indexOf(QUOTE, from); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    let first = at;
    while (first > from && line[first - 1] === BACKSLASH) first--;
    if ((at - first) % 2 === 0) return at;
  }
  return -1;
}
