/**
 * Go's `%q`: text in double quotes in which everything that cannot be printed is escaped, for logs and error messages.
 *
 * @module
 */

import { NO_BYTES } from "./bytes.ts";
import { decodeUtf8, showBytes } from "./text.ts";

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** Made when it is first needed, since that takes a millisecond; it never changes. */
let escaped: RegExp | undefined;

/** Quotes a string as Go's `strconv.Quote`. */
export function goQuote(text: string): string {
  // Go's idea of printable: letters, marks, numbers, punctuation, symbols and the ASCII space.
  escaped ??= /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
  return `"${text.replace(escaped, escape)}"`;
}

/** Likewise made when it is first needed. */
let unprintable: RegExp | undefined;

/**
 * Escapes as {@linkcode goQuote} what cannot be printed, line breaks and tabs too, and leaves quotes and backslashes. The
 * joiner between the parts of an emoji stays.
 */
export function printable(text: string): string {
  unprintable ??=
    /(?!(?<=[\p{Extended_Pictographic}\p{M}\p{Sk}])\u200d\p{Extended_Pictographic})[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
  return text.replace(unprintable, escape);
}

/** Quotes bytes, `null` like none. */
export function goQuoteBytes(bytes: Uint8Array | null): string {
  return goQuote(decodeUtf8(bytes ?? NO_BYTES));
}

function escape(char: string): string {
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  const byte = showBytes(char);
  if (byte !== char) return byte;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return "\\x" + hex(code, 2);
  return code > 0xffff ? "\\U" + hex(code, 8) : "\\u" + hex(code, 4);
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
