/**
 * What a file holds, without the zeros at its end: those of a log are there to be written over.
 *
 * @module
 */

/** How many bytes there are before the zeros at the end. */
export function writtenLength(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}
