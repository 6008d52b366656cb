/**
 * A batch of messages as a segment holds it: what one command has appended, with its checksum.
 *
 *     batch    u32 bytes of what follows | u32 CRC-32 of what follows it | u64 offset of the first message | u32 number of messages
 *              | u64 index of the entry | i64 greatest timestamp, in ns | u8 attributes | messages
 *
 * Integers have their highest byte first. Messages are as the port serves them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { getU32, getU64, putU32, putU64 } from "../../../protocol/bytes.ts";
import { getHalves, type Halves, putHalves } from "../../../protocol/topics/message_set.ts";

/** Bytes before the messages. */
export const BATCH_HEAD_BYTES = 37;

/** Bytes of a batch before those that its checksum is of. */
const SUMMED_AT = 8;

/** Attribute: a key or a value of a message is absent, which is not the same as empty. */
export const HAS_NULLS = 1;

/** What stands before the messages. */
export interface BatchHead {
  /** Bytes of the whole batch. */
  readonly size: number;
  /** Offset of the first message. */
  readonly baseOffset: number;
  /** How many messages there are. */
  readonly count: number;
  /** Index of the entry that appended it. */
  readonly index: number;
  /** Greatest timestamp of a message, in nanoseconds since 1970. */
  readonly maxTimestamp: Halves;
  /** See {@linkcode HAS_NULLS}. */
  readonly attributes: number;
}

/** Writes the head into a batch whose messages stand there already, from {@linkcode BATCH_HEAD_BYTES} on to its end. */
export function sealBatch(batch: Uint8Array, head: Omit<BatchHead, "size">): void {
  const { baseOffset, count, index, maxTimestamp, attributes } = head;
  putU32(batch, 0, batch.length - 4);
  putU64(batch, 8, baseOffset);
  putU32(batch, 16, count);
  putU64(batch, 20, index);
  putHalves(batch, 28, maxTimestamp);
  batch[36] = attributes;
  putU32(batch, 4, crc32(batch.subarray(SUMMED_AT)));
}

/** The head of the batch that begins at `at`; `undefined` when the bytes end before it does, or it cannot be one. */
export function readBatchHead(bytes: Uint8Array, at = 0): BatchHead | undefined {
  if (bytes.length - at < BATCH_HEAD_BYTES) return undefined;
  const size = 4 + getU32(bytes, at);
  if (size < BATCH_HEAD_BYTES) return undefined;
  return {
    size,
    baseOffset: getU64(bytes, at + 8),
    count: getU32(bytes, at + 16),
    index: getU64(bytes, at + 20),
    maxTimestamp: getHalves(bytes, at + 28),
    attributes: bytes[at + 36] as number,
  };
}

/** Whether a batch that begins at `at`, and is there as a whole, is what was written. */
export function isBatchWhole(bytes: Uint8Array, at: number, size: number): boolean {
  return crc32(bytes.subarray(at + SUMMED_AT, at + size)) === getU32(bytes, at + 4);
}
