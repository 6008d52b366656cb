/**
 * What producers have appended last, so that a batch that comes again is known.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { KNOWN_BATCHES } from "../limits.ts";
import { type Duplicate, DUPLICATE_BYTES, getDuplicates, putDuplicates } from "./ids.ts";
import { numbersKey, TABLE } from "./keys.ts";
import type { Partition } from "./partition.ts";

/** Sequence numbers go from 0 to 2^31-1, and then on from 0. */
const SEQUENCES = 0x8000_0000;

/** A batch that was appended. */
export interface KnownBatch {
  /** The sequence number of its first message. */
  readonly sequence: number;
  /** How many messages it had. */
  readonly count: number;
  /** The offset that the first one got of those that were appended. */
  readonly baseOffset: number;
  /** Those that were not, since there were others with their ids. */
  readonly duplicates: readonly Duplicate[];
}

/** A producer in one partition. */
export interface Producer {
  readonly key: Uint8Array;
  /** Of several of one id, that with the greatest epoch counts. */
  epoch: number;
  /** When it has appended last, in milliseconds since 1970. */
  lastAt: number;
  /** Its last batches, the oldest first, at most {@linkcode KNOWN_BATCHES}. */
  batches: readonly KnownBatch[];
}

const HEAD_BYTES = 12;
/** A batch without its duplicates. */
const BATCH_BYTES = 20;

/** A producer; one that has appended nothing when it is not known. */
export function getProducer(
  state: StoreReader,
  { topic, number }: Partition,
  id: number,
): Producer {
  const key = numbersKey(state, TABLE.producers, topic, number, id);
  const row = state.get(key);
  return row === undefined ? { key, epoch: 0, lastAt: 0, batches: [] } : producerOf(key, row);
}

/** The producer of a row. */
export function producerOf(key: Uint8Array, row: Uint8Array): Producer {
  const batches: KnownBatch[] = [];
  for (let at = HEAD_BYTES; at < row.length;) {
    const end = at + BATCH_BYTES + DUPLICATE_BYTES * getU32(row, at + 16);
    const duplicates = getDuplicates(row, at + BATCH_BYTES, end);
    const [sequence, count, baseOffset] = [
      getU32(row, at),
      getU32(row, at + 4),
      getU64(row, at + 8),
    ];
    batches.push({ sequence, count, baseOffset, duplicates });
    at = end;
  }
  return { key, epoch: getU32(row, 0), lastAt: getU64(row, 4), batches };
}

/** Keeps a producer. */
export function putProducer(state: Transaction, { key, epoch, lastAt, batches }: Producer): void {
  let size = HEAD_BYTES + BATCH_BYTES * batches.length;
  for (const { duplicates } of batches) size += DUPLICATE_BYTES * duplicates.length;
  const row = state.allocate(size);
  putU32(row, 0, epoch);
  putU64(row, 4, lastAt);
  let at = HEAD_BYTES;
  for (const { sequence, count, baseOffset, duplicates } of batches) {
    putU32(row, at, sequence);
    putU32(row, at + 4, count);
    putU64(row, at + 8, baseOffset);
    putU32(row, at + 16, duplicates.length);
    at = putDuplicates(row, at + BATCH_BYTES, duplicates);
  }
  state.put(key, row);
}

/** The sequence number of what follows a batch. */
export function sequenceAfter({ sequence, count }: KnownBatch): number {
  return (sequence + count) % SEQUENCES;
}

/** The last batches with one more. */
export function withBatch(batches: readonly KnownBatch[], batch: KnownBatch): KnownBatch[] {
  return [...batches, batch].slice(-KNOWN_BATCHES);
}
