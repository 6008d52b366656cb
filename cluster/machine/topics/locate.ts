/**
 * LOCATE: which offsets there are of a partition, and where the messages from one on are.
 *
 * @module
 */

import { Reader, written } from "../../../protocol/msgpack/mod.ts";
import { encodeCall, type Question } from "../module.ts";
import type { Failure, Success } from "../result.ts";
import type { StoreReader } from "../store/store.ts";
import { readBytes, readInt, readUint } from "../strict.ts";
import { BAD_TOPIC, PARTITION_NOT_FOUND, STRETCH_BYTES, TOPIC_NOT_FOUND } from "./limits.ts";
import { isName } from "./names.ts";
import { TOPICS } from "./rows/keys.ts";
import { getPartition, type Partition } from "./rows/partition.ts";
import { activeOf, getSegment, placeBefore, placesAfter, type Segment } from "./rows/segments.ts";
import { getTopic } from "./rows/topic.ts";

/** Number of the question. */
export const LOCATE = 1;

/** What stands for the offset of the next message ... */
export const NEXT_OFFSET = -1;
/** ... and of the first one that is there. */
export const START_OFFSET = -2;

/** Most bytes that may be asked for. */
export const MAX_LOCATED_BYTES = 16 * 1024 * 1024;

/** From where on messages are wanted. */
export interface Where {
  readonly topic: Uint8Array;
  readonly partition: number;
  /** An offset, {@linkcode NEXT_OFFSET} or {@linkcode START_OFFSET}. */
  readonly offset: number;
  /** How many bytes of messages are wanted at most; 0: only the offsets. */
  readonly bytes: number;
}

/** Where messages are. */
export interface Location {
  /** Id of the topic. */
  readonly topic: number;
  /** The first offset that is there. */
  readonly start: number;
  /** The offset that the next message gets. */
  readonly next: number;
  /** The offset that was wanted. It may be before the first or after the next: then there are no spans. */
  readonly offset: number;
  /** Whole batches, the first ones of which may end before the offset. They are as many bytes as were wanted, or a little more. */
  readonly spans: readonly Span[];
}

/** A part of a segment. */
export interface Span {
  /** The segment's first offset. */
  readonly base: number;
  readonly position: number;
  readonly end: number;
}

const VERSION = 1;
const MAX = Number.MAX_SAFE_INTEGER;
const MAX_U32 = 0xffff_ffff;

/** The question where messages are. */
export function locateQuestion(
  { topic, partition, offset, bytes }: Where,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, LOCATE, (writer) => {
    writer.bytes(topic);
    writer.uint(partition);
    writer.int(offset);
    writer.uint(Math.min(bytes, MAX_LOCATED_BYTES));
  });
}

/**
 * Where they are, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeLocation(body: Uint8Array): Location {
  const reader = new Reader(body);
  const uint = (): number => readUint(reader, 0, MAX);
  const [topic, start, next, offset] = [uint(), uint(), uint(), readInt(reader)];
  const spans: Span[] = [];
  while (reader.remaining > 0) spans.push({ base: uint(), position: uint(), end: uint() });
  return { topic, start, next, offset, spans };
}

/** The question. */
export const locate: Question<Where> = {
  since: VERSION,
  read: (reader) => ({
    topic: readBytes(reader),
    partition: readUint(reader, 0, MAX_U32),
    offset: readInt(reader),
    bytes: readUint(reader, 0, MAX_LOCATED_BYTES),
  }),
  answer(state, { topic: name, partition: number, offset: wanted, bytes }) {
    const partition = findPartition(state, name, number);
    if ("ok" in partition) return partition;
    const { start, next } = partition;
    const offset = wanted === NEXT_OFFSET ? next : wanted === START_OFFSET ? start : wanted;
    const isThere = offset >= start && offset < next && bytes > 0;
    const spans = isThere ? spansFrom(state, partition, offset, bytes) : [];
    return located({ topic: partition.topic, start, next, offset, spans });
  },
};

/** The answer that says where messages are, for {@linkcode decodeLocation}. */
export function located({ topic, start, next, offset, spans }: Location): Success {
  const body = written("rpc", (writer) => {
    writer.uint(topic);
    writer.uint(start);
    writer.uint(next);
    writer.int(offset);
    for (const { base, position, end } of spans) {
      writer.uint(base);
      writer.uint(position);
      writer.uint(end);
    }
  });
  return { ok: true, rev: 0, body };
}

/** A partition by the name of its topic, or why there is none. */
export function findPartition(
  state: StoreReader,
  name: Uint8Array,
  number: number,
): Partition | Failure {
  const topic = getTopic(state, name);
  if (topic === undefined) return isName(name) ? TOPIC_NOT_FOUND : BAD_TOPIC;
  return number < topic.partitions ? getPartition(state, topic.id, number) : PARTITION_NOT_FOUND;
}

/** From the last place of the index before an offset to one with so many bytes between it and that offset, or to the end. */
function spansFrom(
  state: StoreReader,
  partition: Partition,
  offset: number,
  bytes: number,
): Span[] {
  const first = placeBefore(state, partition, offset);
  if (first === undefined) throw new Error(`Expected a place of offset ${offset} in the index`);
  const limit = Math.ceil(bytes / STRETCH_BYTES) + 1;
  const spans: Span[] = [];
  let { base, position } = first;
  let end = position;
  // The batch of the offset may be the last one before the first of these, so bytes count from there on.
  let found = 0;
  const places = placesAfter(state, partition, offset, limit);
  for (const [i, place] of places.entries()) {
    const stretchEnd = place.base === base
      ? place.position
      : segmentAt(state, partition, base).bytes;
    found = i === 0 ? 0 : found + stretchEnd - end;
    end = stretchEnd;
    if (place.base !== base) {
      spans.push({ base, position, end });
      ({ base, position } = place);
      end = position;
    }
    if (found < bytes && i + 1 < limit) continue;
    if (end > position) spans.push({ base, position, end });
    return spans;
  }
  spans.push({ base, position, end: segmentAt(state, partition, base).bytes });
  return spans;
}

/** The segment that begins with an offset, full or not. */
export function segmentAt(state: StoreReader, partition: Partition, base: number): Segment {
  const active = activeOf(partition);
  const segment = active?.base === base ? active : getSegment(state, partition, base);
  if (segment === undefined) throw new Error(`Expected a segment from offset ${base} on`);
  return segment;
}
