/**
 * The checksum of frames, by `node:zlib`, loaded when it is first used: that takes some 10 ms, which a program that has no topics
 * need not spend, also where it is bundled into one file.
 *
 * @module
 */

import type NodeProcess from "node:process";
import type NodeZlib from "node:zlib";

/** It never changes. */
let zlib: typeof NodeZlib | undefined;

/**
 * The CRC-32 of bytes, from 0 to 2^32-1.
 *
 * @throws {Error} in a runtime that cannot compute it, such as Node before 20.16
 */
export function crc32(bytes: Uint8Array): number {
  zlib ??= loaded();
  return zlib.crc32(bytes);
}

function loaded(): typeof NodeZlib {
  const { process } = globalThis as unknown as { process?: typeof NodeProcess };
  const found = process?.getBuiltinModule?.("node:zlib");
  if (found?.crc32 !== undefined) return found;
  throw new Error("Topics need CRC-32 of the runtime, which Node has from 20.16 on");
}
