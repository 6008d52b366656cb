/**
 * What partitions of the naive `topics` have, and what becomes of batches.
 *
 * @module
 */

import {
  BATCH_HEAD_BYTES,
  type Produced,
  type Sequence,
  type TopicOptions,
} from "../../../cluster/machine/topics/mod.ts";
import { ID_HEADER } from "../../../protocol/topics/mod.ts";
import { encodeMessages, type TestMessage } from "./messages.ts";

/** Messages that were appended together. */
export interface TestBatch {
  readonly base: number;
  /** When it was appended, in milliseconds since 1970. */
  readonly at: number;
  /** What it takes in a segment. */
  readonly bytes: number;
  readonly messages: readonly TestMessage[];
}

/** What a producer has sent, and what was said of it. */
export interface TestSent extends Sequence {
  readonly count: number;
  readonly produced: Produced;
}

/** A producer in a partition. */
export interface TestProducer {
  readonly epoch: number;
  readonly lastAt: number;
  readonly batches: readonly TestSent[];
}

/** A partition. */
export interface TestPartition {
  readonly batches: TestBatch[];
  /** The least start that was seen. */
  start: number;
  next: number;
  /** What each producer has appended, and when it did last. */
  readonly producers: Map<number, TestProducer>;
}

/** A topic. */
export interface TestTopic {
  readonly id: number;
  readonly name: string;
  options: TopicOptions;
  readonly partitions: TestPartition[];
  /** Where the messages with ids are, and when they came. */
  readonly ids: Map<
    string,
    { readonly at: number; readonly partition: number; readonly offset: number }
  >;
}

/** A partition without messages. */
export function newPartition(): TestPartition {
  return { batches: [], start: 0, next: 0, producers: new Map() };
}

/** Whether messages have ids as they may be. */
export function idsAreRight(messages: readonly TestMessage[]): boolean {
  return messages.every((message) => {
    const ids = idsOf(message);
    return ids.length <= 1 && ids.every(({ length }) => length >= 1 && length <= 64);
  });
}

/** The same batch that was sent before, or why this one is refused. */
export function judge(
  { producers }: TestPartition,
  said: Sequence | undefined,
  count: number,
  lastProducer: number,
): TestSent | string | undefined {
  if (said === undefined) return undefined;
  const { producer, epoch, sequence } = said;
  const found = producers.get(producer);
  if (epoch < (found?.epoch ?? 0)) return "PRODUCER_FENCED";
  const known = found !== undefined && epoch === found.epoch ? found.batches : [];
  for (const sent of known.slice(-5)) {
    if (sent.sequence === sequence && sent.count === count) return sent;
  }
  if (found === undefined && (producer === 0 || producer > lastProducer)) {
    return "UNKNOWN_PRODUCER";
  }
  const last = known.at(-1);
  const expected = last === undefined ? 0 : last.sequence + last.count;
  return sequence === expected ? undefined : "OUT_OF_ORDER";
}

/** What is said of a batch that comes again. */
export function repeated(topic: TestTopic, partition: number, { produced }: TestSent): Produced {
  return { ...produced, next: (topic.partitions[partition] as TestPartition).next };
}

/** Appends messages, but those whose ids are known. */
export function appended(
  { options: { dedupeMs }, ids, partitions }: TestTopic,
  number: number,
  messages: readonly TestMessage[],
  said: Sequence | undefined,
  time: number,
): Produced {
  const partition = partitions[number] as TestPartition;
  const { next: base, producers } = partition;
  const fresh: TestMessage[] = [];
  const duplicates: Produced["duplicates"][number][] = [];
  messages.forEach((message, i) => {
    const id = dedupeMs > 0 ? idsOf(message)[0]?.toHex() : undefined;
    const known = id === undefined ? undefined : ids.get(id);
    if (known !== undefined && known.at + dedupeMs > time) {
      return duplicates.push({ message: i, partition: known.partition, offset: known.offset });
    }
    const offset = base + fresh.length;
    if (id !== undefined) ids.set(id, { at: time, partition: number, offset });
    const { timestamp } = message;
    fresh.push({
      ...message,
      offset: BigInt(offset),
      timestamp: timestamp === 0n ? BigInt(time) * 1_000_000n : timestamp,
    });
  });
  if (fresh.length > 0) {
    const bytes = BATCH_HEAD_BYTES + encodeMessages(fresh).length;
    partition.batches.push({ base, at: time, bytes, messages: fresh });
    partition.next += fresh.length;
  }
  const produced = { baseOffset: base, count: fresh.length, next: partition.next, duplicates };
  if (said !== undefined) {
    const { producer, epoch } = said;
    const known = producers.get(producer);
    const before = known?.epoch === epoch ? known.batches : [];
    const batches = [...before, { ...said, count: messages.length, produced }];
    producers.set(producer, { epoch, lastAt: time, batches });
  }
  return produced;
}

function idsOf({ headers }: TestMessage): Uint8Array[] {
  return headers.flatMap(([name, value]) => name === ID_HEADER ? [value] : []);
}
