/**
 * Frames of topics as a second codec has them: byte by byte, so that a test can bend them.
 *
 * @module
 */

/** A frame: its length, an id, what follows, and the checksum. */
export function rawFrame(id: number, type: number, version: number, payload: readonly number[]) {
  const head = [0, 0, 0, 0, ...u32(id), type, version, 0, 0, ...payload];
  const frame = Uint8Array.from([...u32(head.length + 4), ...head, 0, 0, 0, 0]);
  return sealed(frame);
}

/** Gives a frame the checksum that it has to have, by the slowest of all ways. */
export function sealed(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let crc = 0xffffffff;
  for (const byte of frame.subarray(4, -4)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  new DataView(frame.buffer).setUint32(frame.length - 4, ~crc >>> 0);
  return frame;
}

/** Four bytes, the highest first. */
export function u32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => value >>> shift & 255);
}

/** A text after its length. */
export function str(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...u32(bytes.length), ...bytes];
}

/** Types of requests that only the second version knows. */
export const SECOND_ONLY: readonly number[] = [
  ...[0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e],
  ...[0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47],
];
