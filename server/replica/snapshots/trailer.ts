/**
 * What stands after the dump in the file of a snapshot: what it is, and checksums, so that any piece can be trusted by itself.
 *
 *     sums     for each piece of the dump: u32 CRC-32
 *     meta     u64 index | u64 term | u64 index of the configuration | u64 bytes of the dump | 32 bytes SHA-256 | configuration
 *     tail     u32 bytes of sums | u32 bytes of meta | u32 CRC-32 of all that precedes it, from the sums on | magic
 *
 * Integers have their highest byte first.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import {
  decodeConfiguration,
  encodeConfiguration,
} from "../../../cluster/raft/membership/configuration.ts";
import type { Disk } from "../../../cluster/runtime.ts";
import {
  compareBytes,
  concatBytes,
  getU32,
  getU64,
  putU32,
  putU64,
} from "../../../protocol/bytes.ts";
import { DamagedSnapshotError } from "./damaged.ts";

/** Bytes of a piece that has a checksum of its own, and goes to another server at once. */
export const PIECE_BYTES = 512 * 1024;

const MAGIC = new TextEncoder().encode("skeinsn1");
const TAIL_BYTES = 12 + MAGIC.length;
const META_HEAD_BYTES = 64;
const HASH_AT = 32;

/** A configuration of the most members with the longest ids takes less. */
const MAX_META_BYTES = 64 * 1024;

/** Checksums of pieces, of bytes that come in any portions. */
export class PieceSums {
  readonly #sums: number[] = [];
  #size = 0;

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const into = this.#size % PIECE_BYTES;
      const part = bytes.subarray(at, at + PIECE_BYTES - into);
      const sum = into === 0 ? 0 : this.#sums.pop() as number;
      this.#sums.push(crc32(part, sum));
      this.#size += part.length;
      at += part.length;
    }
  }

  /** Bytes that came. */
  get size(): number {
    return this.#size;
  }

  /** The checksums, 4 bytes for each piece. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(4 * this.#sums.length);
    this.#sums.forEach((sum, i) => putU32(bytes, 4 * i, sum));
    return bytes;
  }
}

/** What is known of the snapshot in a file. */
export interface Trailer {
  /** What the snapshot is. */
  readonly meta: SnapshotMeta;
  /** 4 bytes for each piece. */
  readonly sums: Uint8Array;
}

/** The bytes after the dump. */
export function encodeTrailer({ meta, sums }: Trailer): Uint8Array {
  const configuration = encodeConfiguration(meta.configuration);
  const head = new Uint8Array(META_HEAD_BYTES);
  [meta.index, meta.term, meta.configurationIndex, meta.size]
    .forEach((value, i) => putU64(head, 8 * i, value));
  head.set(Buffer.from(meta.hash, "hex"), HASH_AT);
  const tail = new Uint8Array(TAIL_BYTES);
  putU32(tail, 0, sums.length);
  putU32(tail, 4, head.length + configuration.length);
  tail.set(MAGIC, 12);
  const bytes = concatBytes([sums, head, configuration, tail]);
  putU32(
    bytes,
    bytes.length - TAIL_BYTES + 8,
    crc32(bytes.subarray(0, bytes.length - TAIL_BYTES + 8)),
  );
  return bytes;
}

/**
 * Reads what stands after the dump in a file of `bytes` bytes.
 *
 * Rejects with a {@linkcode DamagedSnapshotError} when it is not what was written, and as `Disk` does.
 */
export async function readTrailer(disk: Disk, path: string, bytes: number): Promise<Trailer> {
  const damaged = (what: string, cause?: unknown): never => {
    throw new DamagedSnapshotError(path, what, cause);
  };
  if (bytes < TAIL_BYTES) return damaged(`${bytes} bytes are none`);
  const tail = await disk.read(path, bytes - TAIL_BYTES, TAIL_BYTES);
  if (tail.length < TAIL_BYTES || compareBytes(tail.subarray(12), MAGIC) !== 0) {
    return damaged("it does not end like one");
  }
  const [sumsBytes, metaBytes] = [getU32(tail, 0), getU32(tail, 4)];
  const size = bytes - TAIL_BYTES - sumsBytes - metaBytes;
  if (metaBytes < META_HEAD_BYTES || metaBytes > MAX_META_BYTES || size < 0) {
    return damaged("wrong lengths at its end");
  }
  if (sumsBytes !== 4 * Math.ceil(size / PIECE_BYTES)) return damaged("wrong lengths at its end");
  const found = await disk.read(path, size, sumsBytes + metaBytes);
  const sum = crc32(tail.subarray(0, 8), crc32(found));
  if (found.length < sumsBytes + metaBytes || sum !== getU32(tail, 8)) {
    return damaged("wrong checksum of its end");
  }
  try {
    const meta = decodeMeta(found.subarray(sumsBytes));
    return meta.size === size ? { meta, sums: found.slice(0, sumsBytes) } : damaged("wrong size");
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return damaged("wrong configuration", cause);
  }
}

function decodeMeta(bytes: Uint8Array): SnapshotMeta {
  return {
    index: getU64(bytes, 0),
    term: getU64(bytes, 8),
    configurationIndex: getU64(bytes, 16),
    size: getU64(bytes, 24),
    hash: Buffer.from(bytes.subarray(HASH_AT, META_HEAD_BYTES)).toString("hex"),
    configuration: decodeConfiguration(bytes.subarray(META_HEAD_BYTES)),
  };
}
