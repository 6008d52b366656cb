/**
 * LIST, DESCRIBE, SEGMENTS and TOTALS: what there is.
 *
 * @module
 */

import { Reader, written } from "../../../protocol/msgpack/mod.ts";
import { encodeCall, type Question } from "../module.ts";
import type { Success } from "../result.ts";
import type { StoreReader } from "../store/store.ts";
import { keyAfter, keysBelow } from "../store/tuple.ts";
import { readBytes, readUint } from "../strict.ts";
import { BAD_TOPIC, MAX_NAME_BYTES, TOPIC_NOT_FOUND } from "./limits.ts";
import { isName } from "./names.ts";
import { nameKey, nameOf, numbersKey, numbersOf, TABLE, TOPICS } from "./rows/keys.ts";
import { getPartition, type Partition, partitionOf } from "./rows/partition.ts";
import { activeOf, type Segment, segmentsFrom } from "./rows/segments.ts";
import { getTopic, OPTION_NAMES, type Topic, topicOf, type TopicOptions } from "./rows/topic.ts";
import { getTotals, TOTAL_NAMES, type Totals } from "./rows/totals.ts";
import type { SegmentId } from "./segment.ts";

/** Numbers of the questions. */
export const LIST = 2;
/** See {@linkcode LIST}. */
export const DESCRIBE = 3;
/** See {@linkcode LIST}. */
export const SEGMENTS = 4;
/** See {@linkcode LIST}. */
export const TOTALS = 6;

/** Most topics of a page. */
export const MAX_LISTED_TOPICS = 1_000;

/** Most segments of a page, and most partitions that are looked at for one. */
export const MAX_LISTED_SEGMENTS = 1_000;

const VERSION = 1;
const MAX = Number.MAX_SAFE_INTEGER;
const NOTHING = new Uint8Array();

/** A topic of a list. */
export interface ListedTopic {
  readonly name: Uint8Array;
  readonly partitions: number;
}

/** Some of all topics, in the order of their names. */
export interface TopicPage {
  readonly topics: readonly ListedTopic[];
  /** Whether others follow. */
  readonly more: boolean;
}

/** A topic with what its partitions have. */
export interface TopicDescription extends Topic {
  readonly offsets: readonly PartitionDescription[];
}

/** What a partition has. */
export interface PartitionDescription {
  /** The first offset that is there. */
  readonly start: number;
  /** The offset that the next message gets. */
  readonly next: number;
  /** Bytes of all segments. */
  readonly bytes: number;
}

/** A segment, and what the state says of it. */
export interface ListedSegment extends SegmentId, Segment {
  /** Whether it grows no more. */
  readonly isFull: boolean;
}

/** Some of all segments, in the order of topics, partitions and offsets. */
export interface SegmentPage {
  readonly segments: readonly ListedSegment[];
  /** What the next page comes after; `undefined`: there is none. */
  readonly after: SegmentId | undefined;
}

/** The question for the topics after a name, or from the first on, at most `limit`, from 1 to {@linkcode MAX_LISTED_TOPICS}. */
export function listTopicsQuestion(
  { after = NOTHING, limit = MAX_LISTED_TOPICS }: {
    readonly after?: Uint8Array;
    readonly limit?: number;
  } = {},
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, LIST, (writer) => {
    writer.bytes(after);
    writer.uint(limit);
  });
}

/**
 * The topics in the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeTopics(body: Uint8Array): TopicPage {
  const reader = new Reader(body);
  const more = readUint(reader, 0, 1) === 1;
  const topics: ListedTopic[] = [];
  while (reader.remaining > 0) {
    topics.push({ name: readBytes(reader), partitions: readUint(reader, 0, MAX) });
  }
  return { topics, more };
}

/** The question what there is of a topic. */
export function describeTopicQuestion(topic: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, DESCRIBE, (writer) => writer.bytes(topic));
}

/**
 * What there is of it, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeDescription(body: Uint8Array): TopicDescription {
  const reader = new Reader(body);
  const uint = (): number => readUint(reader, 0, MAX);
  const [id, partitions, replicas, createdAt] = [uint(), uint(), uint(), uint()];
  const options = Object.fromEntries(
    OPTION_NAMES.map((name) => [name, uint()]),
  ) as unknown as TopicOptions;
  const offsets: PartitionDescription[] = [];
  while (reader.remaining > 0) offsets.push({ start: uint(), next: uint(), bytes: uint() });
  return { id, partitions, replicas, createdAt, ...options, offsets };
}

/** The question for the segments after one, or from the first on, those of deleted topics too until they are swept. */
export function segmentsQuestion(after?: SegmentId): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, SEGMENTS, (writer) => {
    writer.uint(after === undefined ? 0 : 1);
    if (after !== undefined) writeSegmentId(writer, after);
  });
}

/**
 * The segments in the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeSegments(body: Uint8Array): SegmentPage {
  const reader = new Reader(body);
  const uint = (): number => readUint(reader, 0, MAX);
  const after = uint() === 0 ? undefined : readSegmentId(reader);
  const segments: ListedSegment[] = [];
  while (reader.remaining > 0) {
    segments.push({
      ...readSegmentId(reader),
      next: uint(),
      bytes: uint(),
      crc: uint(),
      firstAt: uint(),
      lastAt: uint(),
      isFull: uint() === 1,
    });
  }
  return { segments, after };
}

/** The question how much there is of all topics. */
export function topicTotalsQuestion(): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, TOTALS, () => {});
}

/**
 * How much there is, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeTopicTotals(body: Uint8Array): Totals {
  const reader = new Reader(body);
  return Object.fromEntries(
    TOTAL_NAMES.map((name) => [name, readUint(reader, 0, MAX)]),
  ) as unknown as Totals;
}

/** The question. */
export const list: Question<{ readonly after: Uint8Array; readonly limit: number }> = {
  since: VERSION,
  read: (reader) => ({
    after: readBytes(reader).subarray(0, MAX_NAME_BYTES + 1),
    limit: readUint(reader, 1, MAX_LISTED_TOPICS),
  }),
  answer(state, { after, limit }) {
    const { from, to } = keysBelow(TABLE.names);
    const first = after.length === 0 ? from : isName(after) ? keyAfter(nameKey(state, after)) : to;
    const rows = state.range(first, to, limit + 1);
    return answerOf((writer) => {
      writer.uint(rows.length > limit ? 1 : 0);
      for (const { key, value } of rows.slice(0, limit)) {
        writer.bytes(nameOf(key));
        writer.uint(topicOf(value).partitions);
      }
    });
  },
};

/** The question. */
export const describe: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, name) {
    const topic = getTopic(state, name);
    if (topic === undefined) return isName(name) ? TOPIC_NOT_FOUND : BAD_TOPIC;
    return answerOf((writer) => {
      for (const part of ["id", "partitions", "replicas", "createdAt", ...OPTION_NAMES] as const) {
        writer.uint(topic[part]);
      }
      for (let number = 0; number < topic.partitions; number++) {
        const { start, next, bytes } = getPartition(state, topic.id, number);
        writer.uint(start);
        writer.uint(next);
        writer.uint(bytes);
      }
    });
  },
};

/** The question. */
export const segments: Question<SegmentId | undefined> = {
  since: VERSION,
  read: (reader) => readUint(reader, 0, 1) === 0 ? undefined : readSegmentId(reader),
  answer(state, after) {
    const page = pageOfSegments(state, after);
    return answerOf((writer) => {
      writer.uint(page.after === undefined ? 0 : 1);
      if (page.after !== undefined) writeSegmentId(writer, page.after);
      for (const segment of page.segments) {
        writeSegmentId(writer, segment);
        for (const part of ["next", "bytes", "crc", "firstAt", "lastAt"] as const) {
          writer.uint(segment[part]);
        }
        writer.uint(segment.isFull ? 1 : 0);
      }
    });
  },
};

/** The question. */
export const totals: Question<void> = {
  since: VERSION,
  read() {},
  answer(state) {
    const totals = getTotals(state);
    return answerOf((writer) => TOTAL_NAMES.forEach((name) => writer.uint(totals[name])));
  },
};

function pageOfSegments(state: StoreReader, after: SegmentId | undefined): SegmentPage {
  const found: ListedSegment[] = [];
  let last = after;
  const partitions = partitionsFrom(state, after, MAX_LISTED_SEGMENTS);
  for (const partition of partitions) {
    const { topic, number } = partition;
    const isSame = after?.topic === topic && after.partition === number;
    const base = isSame ? after.base + 1 : 0;
    const room = MAX_LISTED_SEGMENTS - found.length;
    const full = segmentsFrom(state, partition, base, room);
    for (const segment of full) {
      found.push({ topic, partition: number, ...segment, isFull: true });
    }
    const active = activeOf(partition);
    const hasAll = full.length < room;
    if (hasAll && active !== undefined && active.base >= base) {
      found.push({ topic, partition: number, ...active, isFull: false });
    }
    last = hasAll ? { topic, partition: number, base: MAX - 1 } : found.at(-1);
    if (found.length >= MAX_LISTED_SEGMENTS) return { segments: found, after: last };
  }
  return { segments: found, after: partitions.length < MAX_LISTED_SEGMENTS ? undefined : last };
}

/** The partitions that have a row, from that of a segment on. */
function partitionsFrom(
  state: StoreReader,
  after: SegmentId | undefined,
  limit: number,
): Partition[] {
  const { from, to } = keysBelow(TABLE.partitions);
  const first = after === undefined
    ? from
    : numbersKey(state, TABLE.partitions, after.topic, after.partition);
  return state.range(first, to, limit).map(({ key, value }) => {
    const [topic, number] = numbersOf(TABLE.partitions, key) as [number, number];
    return partitionOf(topic, number, value);
  });
}

function writeSegmentId(
  writer: { uint(value: number): void },
  { topic, partition, base }: SegmentId,
): void {
  writer.uint(topic);
  writer.uint(partition);
  writer.uint(base);
}

function readSegmentId(reader: Reader): SegmentId {
  return {
    topic: readUint(reader, 0, MAX),
    partition: readUint(reader, 0, MAX),
    base: readUint(reader, 0, MAX - 1),
  };
}

function answerOf(write: Parameters<typeof written>[1]): Success {
  return { ok: true, rev: 0, body: written("rpc", write) };
}
