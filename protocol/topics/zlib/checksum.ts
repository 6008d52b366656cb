/**
 * The checksum of frames.
 *
 * @module
 */

import { zlib } from "./builtin.ts";

/**
 * The CRC-32 of bytes, from 0 to 2^32-1.
 *
 * @throws {Error} in a runtime that cannot compute it, such as Node before 20.16
 */
export function crc32(bytes: Uint8Array): number {
  return zlib().crc32(bytes);
}
