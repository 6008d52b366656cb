/**
 * LOCATE_TIME: where the first message is whose timestamp is at or after a time, as far as the index tells.
 *
 * Producers say what the timestamps are, so they rise and fall as they like. What is told is a stretch of a segment, from an offset on
 * before which, from the one that was asked for on, no message is at or after the time. Who finds none in it asks again from the
 * offset after it on.
 *
 * That no message is passed over: the index has the greatest timestamp of each segment but the last, which the partition has, so a
 * segment is passed over when all of it is before the time. Within a segment it has the greatest timestamp before each place, which
 * only grows: when that is before the time, all between the beginning of the segment and the place are. Where the place of the offset
 * itself has a greater one, by messages that may be gone, nothing is passed over in its segment: that is read stretch by stretch.
 *
 * @module
 */

import { type Halves, isBefore } from "../../../protocol/topics/message_set.ts";
import { encodeCall, type Question } from "../module.ts";
import type { StoreReader } from "../store/store.ts";
import { readBytes, readInt, readUint } from "../strict.ts";
import { findPartition, located, type Location, segmentAt } from "./locate.ts";
import { TOPICS } from "./rows/keys.ts";
import type { Partition } from "./rows/partition.ts";
import { placeBefore, placesAfter, type Segment, type TimedPlace } from "./rows/segments.ts";

/** Number of the question. */
export const LOCATE_TIME = 16;

/** Which time, and from where on. */
export interface When {
  readonly topic: Uint8Array;
  readonly partition: number;
  /** Nanoseconds since 1970. */
  readonly time: Halves;
  /** What is before this offset does not count. Anything before the first one that is there stands for that. */
  readonly from: number;
}

const VERSION = 1;
const MAX_U32 = 0xffff_ffff;

/** Segments that one answer passes over at most: each takes some 30 microseconds where the state is on a disk. */
const MAX_PASSED = 200;

/**
 * The question. Its answer is a {@linkcode Location}: `offset` is where to read on. Without a span there is nothing before that, and
 * nothing at all when it is `next`.
 */
export function locateTimeQuestion(
  { topic, partition, time, from }: When,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, LOCATE_TIME, (writer) => {
    writer.bytes(topic);
    writer.uint(partition);
    writer.uint(time.high >>> 0);
    writer.uint(time.low);
    writer.int(from);
  });
}

/** The question. */
export const locateTime: Question<When> = {
  since: VERSION,
  read: (reader) => ({
    topic: readBytes(reader),
    partition: readUint(reader, 0, MAX_U32),
    time: { high: readUint(reader, 0, MAX_U32) | 0, low: readUint(reader, 0, MAX_U32) },
    from: readInt(reader),
  }),
  answer(state, { topic: name, partition: number, time, from }) {
    const partition = findPartition(state, name, number);
    if ("ok" in partition) return partition;
    const { topic, start, next } = partition;
    const at = Math.max(start, from);
    const { offset, spans } = at < next
      ? stretchFrom(state, partition, at, time)
      : { offset: next, spans: [] };
    return located({ topic, start, next, offset, spans });
  },
};

function stretchFrom(
  state: StoreReader,
  partition: Partition,
  from: number,
  time: Halves,
): Pick<Location, "offset" | "spans"> {
  let offset = from;
  for (let passed = 0; passed < MAX_PASSED && offset < partition.next; passed++) {
    const place = placeAt(state, partition, offset);
    const segment = segmentAt(state, partition, place.base);
    if (!isBefore(latestIn(state, partition, segment), time)) {
      const stretch = lastPlace(state, partition, segment, place, time);
      const [following] = placesAfter(state, partition, stretch.offset, 1);
      const end = following?.base === segment.base ? following.position : segment.bytes;
      const span = { base: segment.base, position: stretch.position, end };
      return { offset: Math.max(offset, stretch.offset), spans: [span] };
    }
    offset = segment.next;
  }
  return { offset, spans: [] };
}

/** The greatest timestamp of a segment. */
function latestIn(state: StoreReader, partition: Partition, { next }: Segment): Halves {
  return next === partition.next ? partition.maxTimestamp : placeAt(state, partition, next).before;
}

/** The last place of a segment, from one on, before which all timestamps of the segment are before the time; else that one. */
function lastPlace(
  state: StoreReader,
  partition: Partition,
  { next }: Segment,
  first: TimedPlace,
  time: Halves,
): TimedPlace {
  let found = first;
  // All places up to `low` are such ones, none from `high` on is.
  let { offset: low } = first;
  let high = next;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    const place = placeAt(state, partition, middle);
    if (place.offset > found.offset && !isBefore(place.before, time)) {
      high = place.offset;
    } else {
      found = place;
      low = middle;
    }
  }
  return found;
}

function placeAt(state: StoreReader, partition: Partition, offset: number): TimedPlace {
  const place = placeBefore(state, partition, offset);
  if (place === undefined) throw new Error(`Expected a place of offset ${offset} in the index`);
  return place;
}
