/**
 * Names of topics and of consumer groups.
 *
 * @module
 */

import { MAX_GROUP_BYTES, MAX_NAME_BYTES } from "./limits.ts";

const DOT = 0x2e;

/** By byte: letters and digits of ASCII, `.`, `_` and `-`. */
const IS_IN_NAMES = Array.from(
  { length: 0x100 },
  (_, byte) => /[A-Za-z0-9._-]/.test(String.fromCharCode(byte)),
);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether bytes name a topic: 1 to {@linkcode MAX_NAME_BYTES} of `A-Za-z0-9._-`, but not `.` and `..`. */
export function isName(bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (length === 0 || length > MAX_NAME_BYTES) return false;
  for (let i = 0; i < length; i++) if (!IS_IN_NAMES[bytes[i] as number]) return false;
  return length > 2 || bytes[0] !== DOT || (length === 2 && bytes[1] !== DOT);
}

/** Whether bytes name a group: 1 to {@linkcode MAX_GROUP_BYTES} of UTF-8. */
export function isGroup(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length <= MAX_GROUP_BYTES && isText(bytes);
}

/** Whether bytes are UTF-8. */
export function isText(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    // The decoder throws for nothing but bytes that are no UTF-8.
    return false;
  }
}
