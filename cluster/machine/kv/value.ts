/**
 * Values: any JSON value, kept as UTF-8 text without blanks.
 *
 * The machine itself does not look into a value, except for the integer that a counter is: whoever makes a command has parsed
 * the request anyway, and makes the one text of it that all servers keep.
 *
 * @module
 */

import type { Failure } from "../result.ts";

/** Longest value, in bytes of its text. */
export const MAX_VALUE_TEXT_BYTES = 512 * 1024;

/** How deep arrays and objects may nest in each other. */
const MAX_DEPTH = 64;
/** "-9007199254740991". */
const MAX_INTEGER_DIGITS = 17;
const MINUS = 0x2d;
const ZERO = 0x30;

/** A value that is missing, or a number that JSON or a double cannot hold exactly. */
export const BAD_VALUE: Failure = { ok: false, code: 422, reason: "INVALID", field: "value" };
/** A value that is too long. */
export const VALUE_TOO_LARGE: Failure = {
  ok: false,
  code: 413,
  reason: "VALUE_TOO_LARGE",
  field: "value",
};
/** A value that nests too deep. */
export const TOO_DEEP: Failure = { ok: false, code: 400, reason: "TOO_DEEP", field: "value" };

const encoder = new TextEncoder();

/**
 * The text of a value that came out of `JSON.parse`. Whole numbers beyond ±(2^53-1) are refused: they may have been rounded
 * when they were read.
 */
export function textOfValue(value: unknown): Uint8Array<ArrayBuffer> | Failure {
  const problem = problemOf(value, MAX_DEPTH);
  if (problem !== undefined) return problem;
  const text = encoder.encode(JSON.stringify(value));
  return text.length > MAX_VALUE_TEXT_BYTES ? VALUE_TOO_LARGE : text;
}

/** The text of an integer. */
export function textOfInteger(value: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(String(value));
}

/** The integer that a text is, from -(2^53-1) to 2^53-1; `undefined` for anything else. */
export function integerOfText(text: Uint8Array): number | undefined {
  const negative = text[0] === MINUS;
  const start = negative ? 1 : 0;
  const digits = text.length - start;
  if (digits === 0 || text.length > MAX_INTEGER_DIGITS) return undefined;
  if (text[start] === ZERO && text.length > 1) return undefined;
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const digit = (text[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  if (!Number.isSafeInteger(value)) return undefined;
  return negative ? -value : value;
}

function problemOf(value: unknown, depth: number): Failure | undefined {
  if (typeof value === "number") {
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
      ? undefined
      : BAD_VALUE;
  }
  if (value === undefined) return BAD_VALUE;
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === 0) return TOO_DEEP;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    const problem = problemOf(item, depth - 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
