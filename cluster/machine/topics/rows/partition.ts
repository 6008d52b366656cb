/**
 * Partitions, each with the segment that it appends to.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import { getHalves, type Halves, putHalves } from "../../../../protocol/topics/message_set.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { numbersKey, TABLE } from "./keys.ts";

/** A partition. */
export interface Partition {
  readonly topic: number;
  readonly number: number;
  /** The first offset that is there; it never goes back. */
  start: number;
  /** The next offset. */
  next: number;
  /** Bytes of all its segments. */
  bytes: number;
  /** The greatest timestamp of the messages in the segment that it appends to, or that it appended to last. */
  maxTimestamp: Halves;
  /** When it is to be looked after; `NEVER`: not at all. */
  due: number;
  /** The segment that it appends to; without bytes there is none. */
  active: ActiveSegment;
}

/** A segment that may grow. */
export interface ActiveSegment {
  /** Offset of its first message. */
  base: number;
  bytes: number;
  /** CRC-32 of all its bytes. */
  crc: number;
  /** When the first and the last batch were appended, in milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
  /** Place of the last batch that the index has. */
  indexedAt: number;
}

/** When a partition is due that never is. */
export const NEVER = 0;

const LEAST_TIMESTAMP: Halves = { high: -0x8000_0000, low: 0 };
const ROW_BYTES = 10 * 8 + 4;

/** A partition, as it is before anything was appended when it has no row. */
export function getPartition(state: StoreReader, topic: number, number: number): Partition {
  const row = state.get(numbersKey(state, TABLE.partitions, topic, number));
  return row === undefined
    ? {
      topic,
      number,
      start: 0,
      next: 0,
      bytes: 0,
      maxTimestamp: LEAST_TIMESTAMP,
      due: NEVER,
      active: { base: 0, bytes: 0, crc: 0, firstAt: 0, lastAt: 0, indexedAt: 0 },
    }
    : partitionOf(topic, number, row);
}

/** The partition of a row. */
export function partitionOf(topic: number, number: number, row: Uint8Array): Partition {
  return {
    topic,
    number,
    start: getU64(row, 0),
    next: getU64(row, 8),
    bytes: getU64(row, 16),
    maxTimestamp: getHalves(row, 24),
    due: getU64(row, 32),
    active: {
      base: getU64(row, 40),
      bytes: getU64(row, 48),
      firstAt: getU64(row, 56),
      lastAt: getU64(row, 64),
      indexedAt: getU64(row, 72),
      crc: getU32(row, 80),
    },
  };
}

/** Keeps a partition. */
export function putPartition(state: Transaction, partition: Partition): void {
  const { active } = partition;
  const row = state.allocate(ROW_BYTES);
  putU64(row, 0, partition.start);
  putU64(row, 8, partition.next);
  putU64(row, 16, partition.bytes);
  putHalves(row, 24, partition.maxTimestamp);
  putU64(row, 32, partition.due);
  putU64(row, 40, active.base);
  putU64(row, 48, active.bytes);
  putU64(row, 56, active.firstAt);
  putU64(row, 64, active.lastAt);
  putU64(row, 72, active.indexedAt);
  putU32(row, 80, active.crc);
  state.put(numbersKey(state, TABLE.partitions, partition.topic, partition.number), row);
}
