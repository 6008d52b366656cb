/**
 * The order in which Go sorts strings.
 *
 * @module
 */

import { encodeUtf8 } from "./text.ts";

/**
 * Compares two strings by their bytes, as Go's `sort.Strings` does.
 *
 * JavaScript's own order is by UTF-16 unit and differs for characters above U+FFFF.
 *
 * @returns A negative number, 0 or a positive number, for use with `Array.prototype.sort`.
 */
export function byteOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (!isSurrogate(x) && !isSurrogate(y)) return x - y;
    if (!a.isWellFormed() || !b.isWellFormed()) return compare(encodeUtf8(a), encodeUtf8(b));
    if (isSurrogate(x) === isSurrogate(y)) return x - y;
    return isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return (a[at] ?? -1) - (b[at] ?? -1);
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
