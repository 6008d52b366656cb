/**
 * Segments, and the index of what is in them.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import { getHalves, type Halves, putHalves } from "../../../../protocol/topics/message_set.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { below, numbersKey, numbersOf, TABLE } from "./keys.ts";
import type { Partition } from "./partition.ts";

/** What the state says of a segment. */
export interface Segment {
  /** Offset of its first message. */
  readonly base: number;
  /** The offset after its last message. */
  readonly next: number;
  /** How many bytes it has ... */
  readonly bytes: number;
  /** ... and the CRC-32 of all of them. */
  readonly crc: number;
  /** When the first and the last batch were appended, in milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Where a batch is. */
export interface Place {
  /** Offset of its first message. */
  readonly offset: number;
  /** The segment's first offset. */
  readonly base: number;
  /** Bytes before it in the segment. */
  readonly position: number;
}

/** A place, and what is known of the timestamps before it. */
export interface TimedPlace extends Place {
  /** The greatest of those before it in its segment; of the first place of a segment, of those in the segment before. */
  readonly before: Halves;
}

const SEGMENT_ROW_BYTES = 4 * 8 + 4;
const INDEX_ROW_BYTES = 3 * 8;

/** The segment that a partition appends to, if there is one. */
export function activeOf({ next, active }: Partition): Segment | undefined {
  const { base, bytes, crc, firstAt, lastAt } = active;
  return bytes === 0 ? undefined : { base, next, bytes, crc, firstAt, lastAt };
}

/** The full segment that begins with an offset. */
export function getSegment(
  state: StoreReader,
  { topic, number }: Partition,
  base: number,
): Segment | undefined {
  const row = state.get(numbersKey(state, TABLE.segments, topic, number, base));
  return row && segmentOf(base, row);
}

/** The first full segments of a partition from a first offset on. */
export function segmentsFrom(
  state: StoreReader,
  { topic, number }: Partition,
  base: number,
  limit: number,
): Segment[] {
  const from = numbersKey(state, TABLE.segments, topic, number, base);
  const { to } = below(state, TABLE.segments, topic, number);
  return state.range(from, to, limit).map(({ key, value }) => {
    return segmentOf(numbersOf(TABLE.segments, key)[2] as number, value);
  });
}

/** The segment that a partition appends to is full, and grows no more. */
export function putSegment(
  state: Transaction,
  { topic, number }: Partition,
  { base, next, bytes, firstAt, lastAt, crc }: Segment,
): void {
  const row = state.allocate(SEGMENT_ROW_BYTES);
  putU64(row, 0, next);
  putU64(row, 8, bytes);
  putU64(row, 16, firstAt);
  putU64(row, 24, lastAt);
  putU32(row, 32, crc);
  state.put(numbersKey(state, TABLE.segments, topic, number, base), row);
}

/** Removes a full segment. */
export function deleteSegment(
  state: Transaction,
  { topic, number }: Partition,
  base: number,
): void {
  state.delete(numbersKey(state, TABLE.segments, topic, number, base));
}

/** Adds a batch to the index. */
export function putPlace(
  state: Transaction,
  { topic, number }: Partition,
  { offset, base, position, before }: TimedPlace,
): void {
  const row = state.allocate(INDEX_ROW_BYTES);
  putU64(row, 0, base);
  putU64(row, 8, position);
  putHalves(row, 16, before);
  state.put(numbersKey(state, TABLE.index, topic, number, offset), row);
}

/** The last place of the index that is not after an offset. */
export function placeBefore(
  state: StoreReader,
  { topic, number }: Partition,
  offset: number,
): TimedPlace | undefined {
  const { from } = below(state, TABLE.index, topic, number);
  const to = numbersKey(state, TABLE.index, topic, number, offset + 1);
  const [row] = state.range(from, to, 1, true);
  return row && { offset: numbersOf(TABLE.index, row.key)[2] as number, ...placeOf(row.value) };
}

/** The first places of the index that are after an offset. */
export function placesAfter(
  state: StoreReader,
  { topic, number }: Partition,
  offset: number,
  limit: number,
): TimedPlace[] {
  const from = numbersKey(state, TABLE.index, topic, number, offset + 1);
  const { to } = below(state, TABLE.index, topic, number);
  return state.range(from, to, limit).map(({ key, value }) => {
    return { offset: numbersOf(TABLE.index, key)[2] as number, ...placeOf(value) };
  });
}

/** The segment of a row. */
export function segmentOf(base: number, row: Uint8Array): Segment {
  return {
    base,
    next: getU64(row, 0),
    bytes: getU64(row, 8),
    firstAt: getU64(row, 16),
    lastAt: getU64(row, 24),
    crc: getU32(row, 32),
  };
}

function placeOf(row: Uint8Array): Omit<TimedPlace, "offset"> {
  return { base: getU64(row, 0), position: getU64(row, 8), before: getHalves(row, 16) };
}
