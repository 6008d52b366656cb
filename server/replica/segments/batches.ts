/**
 * Finds the batches in the bytes of a segment, and looks at their checksums: of whole ones, or piece by piece.
 *
 * @module
 */

import {
  BATCH_HEAD_BYTES,
  isBatchWhole,
  readBatchHead,
} from "../../../cluster/machine/topics/batch.ts";
import { concatBytes, NO_BYTES } from "../../../protocol/bytes.ts";

/** Most bytes of a batch: what one entry of the log may have, and more than a frame of the port. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** Something is wrong with a batch. */
export class BatchError extends Error {
  /** "BatchError". */
  override readonly name = "BatchError";
  /** Where it begins, in the bytes that were looked at. */
  readonly at: number;

  /** `what` is wrong with the batch that begins at `at`. */
  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

/** How many of `bytes`, which begin with a batch, belong to whole ones. Throws a {@linkcode BatchError} for one that is damaged. */
export function wholeBatches(bytes: Uint8Array): number {
  let at = 0;
  for (let size = batchAt(bytes, at); size > 0; size = batchAt(bytes, at)) {
    if (at + size > bytes.length) break;
    if (!isBatchWhole(bytes, at, size)) {
      throw new BatchError(at, `wrong checksum of the batch of ${size} bytes`);
    }
    at += size;
  }
  return at;
}

/**
 * Bytes of the batch that begins at `at`; 0 while there are too few to tell.
 *
 * @throws {BatchError} when there is none
 */
export function batchAt(bytes: Uint8Array, at: number): number {
  if (bytes.length - at < BATCH_HEAD_BYTES) return 0;
  const { size } = readBatchHead(bytes, at) ?? { size: Infinity };
  if (size > MAX_BATCH_BYTES) throw new BatchError(at, "there is no batch");
  return size;
}

/** Takes the bytes of a segment in any pieces, and gives back whole batches. */
export class Batches {
  #pending: Uint8Array[] = [];
  #bytes = 0;
  /** So many bytes tell more. */
  #wanted = BATCH_HEAD_BYTES;

  /** Bytes that belong to no whole batch yet. */
  get pending(): number {
    return this.#bytes;
  }

  /**
   * Takes the next piece, and returns the batches that are whole by it. It keeps one that is not in memory, and nothing else.
   *
   * @throws {BatchError} when one of them is damaged, with its place behind all that was returned before
   */
  push(piece: Uint8Array): Uint8Array {
    this.#pending.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#wanted) return NO_BYTES;
    const bytes = concatBytes(this.#pending);
    const end = wholeBatches(bytes);
    const rest = bytes.slice(end);
    this.#pending = [rest];
    this.#bytes = rest.length;
    this.#wanted = Math.max(BATCH_HEAD_BYTES, batchAt(rest, 0));
    return bytes.subarray(0, end);
  }
}
