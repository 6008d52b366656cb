/**
 * What producers have appended last, so that a batch that comes again is known.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { KNOWN_BATCHES } from "../limits.ts";
import { encodeTuple } from "../../store/tuple.ts";
import { type Duplicate, DUPLICATE_BYTES, getDuplicates, putDuplicates } from "./ids.ts";
import { numbersKey, TABLE, TOPICS } from "./keys.ts";
import type { Partition } from "./partition.ts";

/** A partition by its numbers. */
type Place = Pick<Partition, "topic" | "number">;

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
  /** How many were not, since there were others with their ids: see {@linkcode duplicatesOf}. */
  readonly duplicates: number;
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
const BATCH_BYTES = 20;

/** A producer; one that has appended nothing when it is not known. */
export function getProducer(state: StoreReader, { topic, number }: Place, id: number): Producer {
  const key = numbersKey(state, TABLE.producers, topic, number, id);
  const row = state.get(key);
  return row === undefined ? { key, epoch: 0, lastAt: 0, batches: [] } : producerOf(key, row);
}

/** The producer of a row. */
export function producerOf(key: Uint8Array, row: Uint8Array): Producer {
  const batches: KnownBatch[] = [];
  for (let at = HEAD_BYTES; at < row.length; at += BATCH_BYTES) {
    batches.push({
      sequence: getU32(row, at),
      count: getU32(row, at + 4),
      baseOffset: getU64(row, at + 8),
      duplicates: getU32(row, at + 16),
    });
  }
  return { key, epoch: getU32(row, 0), lastAt: getU64(row, 4), batches };
}

/** Keeps a producer. */
export function putProducer(state: Transaction, { key, epoch, lastAt, batches }: Producer): void {
  const row = state.allocate(HEAD_BYTES + BATCH_BYTES * batches.length);
  putU32(row, 0, epoch);
  putU64(row, 4, lastAt);
  batches.forEach(({ sequence, count, baseOffset, duplicates }, i) => {
    const at = HEAD_BYTES + BATCH_BYTES * i;
    putU32(row, at, sequence);
    putU32(row, at + 4, count);
    putU64(row, at + 8, baseOffset);
    putU32(row, at + 16, duplicates);
  });
  state.put(key, row);
}

/** Which messages of a batch were not appended, and where those are that were there before. */
export function duplicatesOf(
  state: StoreReader,
  place: Place,
  producer: number,
  { sequence, duplicates }: KnownBatch,
): Duplicate[] {
  if (duplicates === 0) return [];
  const row = state.get(duplicatesKey(place, producer, sequence));
  if (row === undefined) throw new Error("Expected the duplicates of a batch");
  return getDuplicates(row, 0, row.length);
}

/** Keeps which messages of a batch were not appended: apart from the producer, which is read and written with each batch. */
export function keepDuplicates(
  state: Transaction,
  place: Place,
  producer: number,
  sequence: number,
  duplicates: readonly Duplicate[],
): void {
  if (duplicates.length === 0) return;
  const row = state.allocate(DUPLICATE_BYTES * duplicates.length);
  putDuplicates(row, 0, duplicates);
  state.put(duplicatesKey(place, producer, sequence), row);
}

/** Forgets it of batches that are known no more. */
export function forgetDuplicates(
  state: Transaction,
  place: Place,
  producer: number,
  batches: readonly KnownBatch[],
): void {
  for (const { sequence, duplicates } of batches) {
    if (duplicates > 0) state.delete(duplicatesKey(place, producer, sequence));
  }
}

/** The sequence number of what follows a batch. */
export function sequenceAfter({ sequence, count }: KnownBatch): number {
  return (sequence + count) % SEQUENCES;
}

/** The last batches with one more. */
export function withBatch(batches: readonly KnownBatch[], batch: KnownBatch): KnownBatch[] {
  return [...batches, batch].slice(-KNOWN_BATCHES);
}

function duplicatesKey({ topic, number }: Place, producer: number, sequence: number): Uint8Array {
  return encodeTuple([TOPICS, 22, topic, number, producer, sequence]);
}
