/**
 * Byte strings: joined, compared, and with unsigned integers in them.
 *
 * @module
 */

/** The byte string without bytes. */
export const NO_BYTES = new Uint8Array(0);

/** `parts` one after the other. A single part is given back as it is, not copied. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `bytes`, copied to the first bytes of `into` if that is there: what is returned is a view of it then. */
export function putInto(bytes: Uint8Array, into: Uint8Array | undefined): Uint8Array {
  if (into === undefined) return bytes;
  into.set(bytes);
  return into.subarray(0, bytes.length);
}

/** Whether two byte strings are the same. The time it takes tells where they differ: not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Below 0, 0 or above 0 as `a` comes before, equals or comes after `b` in the order of their bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  }
  return a.length - b.length;
}

/** Writes an integer from 0 to 2^32-1 in 4 bytes at `at`, the highest first. */
export function putU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** The integer that {@linkcode putU32} wrote; all 4 bytes must be there. */
export function getU32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** Writes an integer from 0 to 2^53-1 in 8 bytes at `at`, the highest first. */
export function putU64(target: Uint8Array, at: number, value: number): void {
  putU32(target, at, Math.floor(value / 0x1_0000_0000));
  putU32(target, at + 4, value >>> 0);
}

/** The integer that {@linkcode putU64} wrote, rounded beyond 2^53; all 8 bytes must be there. */
export function getU64(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at) * 0x1_0000_0000 + getU32(bytes, at + 4);
}
