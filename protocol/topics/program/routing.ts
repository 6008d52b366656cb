/**
 * Which partition a key belongs to (docs/spec/topics.md 4).
 *
 * @module
 */

import { crc32 } from "../zlib/checksum.ts";

/** The one of `count` partitions to which messages with this key go. */
export function partitionOfKey(key: Uint8Array, count: number): number {
  return crc32(key) % count;
}
