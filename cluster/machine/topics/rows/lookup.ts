/**
 * What the state says of segments, for who keeps their bytes: of those that are full and of those that grow.
 *
 * @module
 */

import type { Row, StoreReader } from "../../store/store.ts";
import { keyAfter, keysBelow } from "../../store/tuple.ts";
import type { SegmentId, SegmentRow } from "../segment.ts";
import { numbersOf, TABLE } from "./keys.ts";
import { getPartition, partitionOf } from "./partition.ts";
import { activeOf, getSegment, segmentOf } from "./segments.ts";

/** The keys of all rows that tell of segments, and of nothing else. */
export const SEGMENT_KEYS: { readonly from: Uint8Array; readonly to: Uint8Array } = {
  from: keysBelow(TABLE.partitions).from,
  to: keysBelow(TABLE.segments).to,
};

/** Rows that are read at a time. */
const PAGE = 256;

/** The segment that one of those rows tells of; `undefined` for a partition without one that grows. */
export function segmentRowOf({ key, value }: Row): SegmentRow | undefined {
  const isFull = key[TABLE.segments.length - 1] === TABLE.segments.at(-1);
  const [topic, partition, base] = numbersOf(TABLE.segments, key) as [number, number, number];
  const found = isFull ? segmentOf(base, value) : activeOf(partitionOf(topic, partition, value));
  return found &&
    { segment: { topic, partition, base: found.base }, bytes: found.bytes, crc: found.crc };
}

/** All segments; read in pages, so that one may be gone when it comes. */
export function* segmentRows(state: Pick<StoreReader, "range">): Generator<SegmentRow> {
  for (let { from } = SEGMENT_KEYS;;) {
    const page = state.range(from, SEGMENT_KEYS.to, PAGE);
    for (const row of page) {
      const found = segmentRowOf(row);
      if (found !== undefined) yield found;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = keyAfter(last.key);
  }
}

/** One segment, if the state has it. */
export function segmentRow(state: StoreReader, segment: SegmentId): SegmentRow | undefined {
  const { topic, partition: number, base } = segment;
  const partition = getPartition(state, topic, number);
  const active = activeOf(partition);
  const found = active?.base === base ? active : getSegment(state, partition, base);
  return found && { segment, bytes: found.bytes, crc: found.crc };
}

/** The offset that the next message of a partition gets. */
export function nextOffset(state: StoreReader, topic: number, partition: number): number {
  return getPartition(state, topic, partition).next;
}
