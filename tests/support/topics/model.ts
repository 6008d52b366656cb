/**
 * What `topics` must do, in the plainest way: arrays of messages, and the bytes of segments as a machine tells of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { Machine } from "../../../cluster/machine/machine.ts";
import type { Result } from "../../../cluster/machine/result.ts";
import {
  alterTopicCommand,
  BATCH_HEAD_BYTES,
  commitOffsetsCommand,
  createTopicCommand,
  decodeDescription,
  decodeGroupOffsets,
  decodeLocation,
  decodeProduced,
  decodeSegments,
  decodeStart,
  decodeTopics,
  decodeTopicsSwept,
  decodeTopicTotals,
  DEFAULT_OPTIONS,
  deleteTopicCommand,
  describeTopicQuestion,
  GROUP_LIFE_MS,
  groupOffsetsQuestion,
  HAS_NULLS,
  hasCreated,
  initProducerCommand,
  isBatchWhole,
  type ListedSegment,
  listTopicsQuestion,
  locateQuestion,
  locateTimeQuestion,
  type MessageChange,
  NOT_COMMITTED,
  produceCommand,
  PRODUCER_LIFE_MS,
  readBatchHead,
  type SegmentId,
  segmentsQuestion,
  type Sequence,
  START_OFFSET,
  STRETCH_BYTES,
  sweepTopicsCommand,
  type TopicOptions,
  topicTotalsQuestion,
  trimCommand,
} from "../../../cluster/machine/topics/mod.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";
import {
  decodeMessages,
  encodeMessages,
  messageOf,
  randomMessage,
  type TestMessage,
} from "./messages.ts";

/** A command, and what must come of it. */
export interface TopicStep {
  readonly command: Uint8Array;
  /** Whether messages may go by it that nobody has named. */
  readonly isSweep?: boolean;
  /** Fails unless this is what must have come of it at that time. */
  check(result: Result, time: number): void;
}

interface TestBatch {
  readonly base: number;
  /** When it was appended, in milliseconds since 1970. */
  readonly at: number;
  /** What it takes in a segment. */
  readonly bytes: number;
  readonly messages: readonly TestMessage[];
}

interface TestProducer {
  readonly epoch: number;
  readonly lastAt: number;
  readonly batches: (Sequence & { batch: TestBatch })[];
}

interface TestPartition {
  readonly batches: TestBatch[];
  /** The least start that was seen. */
  start: number;
  next: number;
  /** What each producer has appended, and when it did last. */
  readonly producers: Map<number, TestProducer>;
}

interface TestTopic {
  readonly id: number;
  readonly name: string;
  options: TopicOptions;
  readonly partitions: TestPartition[];
}

const NAMES = ["a", "b.c", "t-1", "_"];
const GROUPS = ["g", "é"];
const encoder = new TextEncoder();

/** The bytes of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** A segment as a text: topic, partition, base. */
export function segmentName({ topic, partition, base }: SegmentId): string {
  return `${topic}/${partition}/${base}`;
}

/** The bytes of segments, as far as a machine has told of them. */
export class SegmentBytes {
  /** By name. */
  readonly all = new Map<string, Uint8Array>();

  /** Takes what a machine tells. Fails unless each batch follows the one before. */
  readonly take = (changes: readonly MessageChange[]): void => {
    for (const change of changes) {
      const name = segmentName(change.segment);
      const before = this.all.get(name);
      if (change.kind === "drop") {
        assert.ok(before !== undefined, `${name} is dropped and was not there`);
        this.all.delete(name);
        continue;
      }
      assert.equal(change.position, before?.length ?? 0, name);
      const bytes = new Uint8Array(change.position + change.bytes.length);
      bytes.set(before ?? []);
      bytes.set(change.bytes, change.position);
      this.all.set(name, bytes);
    }
  };

  /** The bytes of one. */
  of(segment: SegmentId): Uint8Array {
    return this.all.get(segmentName(segment)) ?? assert.fail(`${segmentName(segment)} is missing`);
  }
}

/** The naive `topics`. */
export class TopicModel {
  readonly topics = new Map<string, TestTopic>();
  readonly #random: SeededRandom;
  readonly #committed = new Map<string, number>();
  /** When each group has committed last. */
  readonly #groups = new Map<string, number>();
  #lastTopic = 0;
  #lastProducer = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Something at random. */
  next(): TopicStep {
    const kind = below(this.#random, 40);
    if (kind < 3) return this.#create();
    if (kind < 4) return this.#delete();
    if (kind < 6) return this.#alter();
    if (kind < 8) return this.#trim();
    if (kind < 10) return this.#initProducer();
    if (kind < 13) return this.#commit();
    if (kind < 17) return this.sweep();
    return this.#produce();
  }

  /** A sweep of all that is due. */
  sweep(): TopicStep {
    return {
      command: sweepTopicsCommand(),
      isSweep: true,
      check: (result, time) => {
        assert.deepEqual(decodeTopicsSwept(bodyOf(result)), { more: false, upTo: time });
        for (const { partitions } of this.topics.values()) {
          for (const { producers } of partitions) {
            for (const [id, { lastAt }] of producers) {
              if (lastAt + PRODUCER_LIFE_MS <= time) producers.delete(id);
            }
          }
        }
        for (const [group, lastAt] of this.#groups) {
          if (lastAt + GROUP_LIFE_MS > time) continue;
          this.#groups.delete(group);
          for (const place of this.#committed.keys()) {
            if (place.startsWith(`${group} `)) this.#committed.set(place, NOT_COMMITTED);
          }
        }
      },
    };
  }

  /** Fails unless a machine, with the bytes of its segments, has what this one has. Learns which messages are gone. */
  compare(machine: Machine, segments: SegmentBytes): void {
    const listed = decodeTopics(bodyOf(machine.query(listTopicsQuestion())));
    const names = listed.topics.map(({ name }) => new TextDecoder().decode(name));
    assert.deepEqual(names, [...this.topics.keys()].sort());
    const found = segmentsOf(machine);
    assert.deepEqual(new Set(found.map(segmentName)), new Set(segments.all.keys()));
    for (const segment of found) {
      const bytes = segments.of(segment);
      assert.equal(bytes.length, segment.bytes);
      assert.equal(crc32(bytes), segment.crc);
    }
    for (const topic of this.topics.values()) this.#compareTopic(machine, segments, topic);
    for (const [place, offset] of this.#committed) {
      const [group, name, partition] = place.split(" ") as [string, string, string];
      const question = groupOffsetsQuestion(utf8(group), [
        { topic: utf8(name), partition: Number(partition) },
      ]);
      const [answer] = decodeGroupOffsets(bodyOf(machine.query(question))).offsets;
      assert.equal(answer?.offset, this.topics.has(name) ? offset : -1, place);
    }
  }

  /** Fails unless a sweep that has just been has removed what was over, and nothing else. */
  checkSwept(machine: Machine): void {
    const { time } = machine.context;
    const all = segmentsOf(machine);
    for (const { id, name, partitions, options } of this.topics.values()) {
      const { retentionMs, retentionBytes } = options;
      const { offsets } = decodeDescription(
        bodyOf(machine.query(describeTopicQuestion(utf8(name)))),
      );
      partitions.forEach((partition, number) => {
        const { start } = offsets[number] as { start: number };
        assert.ok(start >= partition.start, "the start only grows");
        for (const [i, { base, messages, at }] of partition.batches.entries()) {
          if (base >= start || base + messages.length <= partition.start) continue;
          const after = sum(partition.batches.slice(i + 1));
          const isOld = retentionMs > 0 && at + retentionMs <= time;
          const isTooMuch = retentionBytes > 0 && after >= retentionBytes;
          assert.ok(isOld || isTooMuch || base < partition.start, `${name} ${base} went too early`);
        }
        partition.start = start;
        const segments = all.filter((one) => one.topic === id && one.partition === number);
        const [first] = segments;
        if (first === undefined) return assert.equal(start, partition.next);
        assert.ok(first.next > start);
        assert.ok(retentionMs === 0 || first.lastAt + retentionMs > time);
        const growing = segments.at(-1)?.bytes ?? 0;
        const kept = sum(segments) - first.bytes - growing;
        assert.ok(retentionBytes === 0 || kept < retentionBytes, `${kept} of ${retentionBytes}`);
      });
    }
  }

  #compareTopic(machine: Machine, segments: SegmentBytes, topic: TestTopic): void {
    const question = describeTopicQuestion(utf8(topic.name));
    const { offsets, id, ...found } = decodeDescription(bodyOf(machine.query(question)));
    assert.equal(id, topic.id);
    const { retentionMs, retentionBytes, segmentBytes, segmentMs } = found;
    assert.deepEqual({ retentionMs, retentionBytes, segmentBytes, segmentMs }, topic.options);
    assert.equal(offsets.length, topic.partitions.length);
    topic.partitions.forEach((partition, number) => {
      const { start, next } = offsets[number] as { start: number; next: number };
      assert.equal(next, partition.next);
      assert.ok(start >= partition.start && start <= next, "the start only grows");
      partition.start = start;
      const expected = new Map(
        partition.batches.flatMap(({ base, messages }) =>
          messages.map((message, i) => [base + i, message] as const)
        ),
      );
      for (let offset = start; offset < next; offset++) {
        const { message, skipped } = read(machine, segments, topic.name, number, offset);
        assert.deepEqual(message, expected.get(offset), `${topic.name}/${number} at ${offset}`);
        assert.ok(skipped < STRETCH_BYTES, `${skipped} bytes before the batch of ${offset}`);
      }
      const kept = [...expected.values()].filter(({ offset }) => Number(offset) >= start);
      for (const time of this.#timesAround(kept)) {
        const first = kept.find(({ timestamp }) => timestamp >= time)?.offset ?? -1n;
        const found = readByTime(machine, segments, topic.name, number, time);
        assert.equal(found.offset, Number(first), `${topic.name}/${number} at ${time} ns`);
      }
    });
  }

  /** Times of some messages, and those beside them. */
  #timesAround(messages: readonly TestMessage[]): Set<bigint> {
    const times = [0n];
    for (const { timestamp } of messages) {
      if (below(this.#random, 4) > 0) continue;
      times.push(timestamp - 1n, timestamp, timestamp + 1n);
    }
    return new Set(times.filter((time) => time === BigInt.asIntN(64, time)));
  }

  #create(): TopicStep {
    const name = this.#name();
    const partitions = below(this.#random, 5);
    const options = this.#options();
    const found = this.topics.get(name);
    return {
      command: createTopicCommand({ topic: utf8(name), partitions, replicas: 3, options }),
      check: (result) => {
        if (partitions === 0) return refused(result, "INVALID");
        if (found !== undefined) {
          if (found.partitions.length !== partitions) return refused(result, "TOPIC_EXISTS");
          return assert.equal(hasCreated(bodyOf(result)), false);
        }
        assert.equal(hasCreated(bodyOf(result)), true);
        this.#add(name, partitions, { ...DEFAULT_OPTIONS, ...options });
      },
    };
  }

  #add(name: string, partitions: number, options: TopicOptions): TestTopic {
    const topic = {
      id: ++this.#lastTopic,
      name,
      options,
      partitions: Array.from({ length: partitions }, newPartition),
    };
    this.topics.set(name, topic);
    for (const place of this.#committed.keys()) {
      if (place.split(" ")[1] === name) this.#committed.delete(place);
    }
    return topic;
  }

  #delete(): TopicStep {
    const name = this.#name();
    return {
      command: deleteTopicCommand(utf8(name)),
      check: (result) => {
        if (!this.topics.delete(name)) return refused(result, "TOPIC_NOT_FOUND");
        bodyOf(result);
      },
    };
  }

  #alter(): TopicStep {
    const name = this.#name();
    const options = this.#options();
    return {
      command: alterTopicCommand({ topic: utf8(name), options }),
      check: (result) => {
        const topic = this.topics.get(name);
        if (topic === undefined) return refused(result, "TOPIC_NOT_FOUND");
        bodyOf(result);
        topic.options = { ...topic.options, ...options };
      },
    };
  }

  #trim(): TopicStep {
    const name = this.#name();
    const number = below(this.#random, 4);
    const partition = this.topics.get(name)?.partitions[number];
    const offset = below(this.#random, (partition?.next ?? 0) + 3) - 1;
    return {
      command: trimCommand({ topic: utf8(name), partition: number, offset }),
      check: (result) => {
        if (!this.topics.has(name)) return refused(result, "TOPIC_NOT_FOUND");
        if (partition === undefined) return refused(result, "PARTITION_NOT_FOUND");
        if (offset > partition.next) return refused(result, "OFFSET_OUT_OF_RANGE");
        const wanted = offset === -1 ? partition.next : offset;
        partition.start = Math.max(partition.start, wanted);
        assert.equal(decodeStart(bodyOf(result)), partition.start);
      },
    };
  }

  #initProducer(): TopicStep {
    return {
      command: initProducerCommand(),
      check: (result) => {
        assert.ok(result.ok);
        this.#lastProducer++;
      },
    };
  }

  #commit(): TopicStep {
    const group = GROUPS[below(this.#random, GROUPS.length)] as string;
    const name = this.#name();
    const partition = below(this.#random, 4);
    const offset = below(this.#random, 2 ** 40);
    const metadata = this.#random.bytes(below(this.#random, 9));
    return {
      command: commitOffsetsCommand(utf8(group), [
        { topic: utf8(name), partition, offset, metadata },
        { topic: utf8("."), partition, offset, metadata },
      ]),
      check: (result, time) => {
        const topic = this.topics.get(name);
        const code = topic === undefined ? 1 : partition >= topic.partitions.length ? 2 : 0;
        assert.deepEqual([...bodyOf(result)], [code, 1]);
        if (code !== 0) return;
        this.#groups.set(group, time);
        this.#committed.set(`${group} ${name} ${partition}`, offset);
      },
    };
  }

  #produce(): TopicStep {
    const random = this.#random;
    const name = this.#name();
    const number = below(random, below(random, 3) === 0 ? 4 : 1);
    const autoCreate = below(random, 3) === 0;
    const messages = Array.from(
      { length: below(random, 30) === 0 ? 0 : 1 + below(random, 4) },
      () =>
        below(random, 40) === 0
          ? messageOf("x".repeat(below(random, 80_000)))
          : randomMessage(random, below(random, 2) === 0),
    );
    const count = below(random, 40) === 0 ? messages.length + 1 : messages.length;
    const partition = this.topics.get(name)?.partitions[number];
    const sequence = below(random, 2) === 0 ? undefined : this.#sequence(partition);
    return {
      command: produceCommand({
        topic: utf8(name),
        partition: number,
        autoCreate,
        sequence,
        count,
        messages: encodeMessages(messages),
      }),
      check: (result, time) => {
        const isNew = !this.topics.has(name);
        if (isNew && !autoCreate) return refused(result, "TOPIC_NOT_FOUND");
        if (isNew ? number > 0 : partition === undefined) {
          return refused(result, "PARTITION_NOT_FOUND");
        }
        if (count === 0 || count !== messages.length) return refused(result, "INVALID");
        const before = partition ?? newPartition();
        const known = sequence && this.#judge(before, sequence, count);
        if (typeof known === "string") return refused(result, known);
        if (known !== undefined) return produced(result, known.base, count, before.next);
        const added = isNew ? this.#add(name, 1, DEFAULT_OPTIONS).partitions[0] : before;
        const batch = appended(added as TestPartition, messages, time);
        produced(result, batch.base, count, batch.base + count);
        if (sequence !== undefined) remember(added as TestPartition, sequence, batch, time);
      },
    };
  }

  #sequence(partition: TestPartition | undefined): Sequence {
    const random = this.#random;
    const producer = below(random, Math.min(this.#lastProducer, 3) + 2);
    const known = partition?.producers.get(producer);
    const batches = known?.batches ?? [];
    const last = batches.at(-1);
    const again = batches[below(random, batches.length)];
    const epoch = Math.max(0, (known?.epoch ?? 0) + [0, 0, 0, 0, 0, 1, -1][below(random, 7)]!);
    if (again !== undefined && below(random, 5) === 0) return { ...again, epoch };
    const next = last === undefined ? 0 : last.sequence + last.batch.messages.length;
    return { producer, epoch, sequence: next + (below(random, 6) === 0 ? 1 : 0) };
  }

  #judge(
    { producers }: TestPartition,
    { producer, epoch, sequence }: Sequence,
    count: number,
  ): TestBatch | string | undefined {
    const found = producers.get(producer);
    if (epoch < (found?.epoch ?? 0)) return "PRODUCER_FENCED";
    const known = found !== undefined && epoch === found.epoch ? found.batches : [];
    for (const { sequence: other, batch } of known.slice(-5)) {
      if (other === sequence && batch.messages.length === count) return batch;
    }
    if (found === undefined && (producer === 0 || producer > this.#lastProducer)) {
      return "UNKNOWN_PRODUCER";
    }
    const last = known.at(-1);
    const expected = last === undefined ? 0 : last.sequence + last.batch.messages.length;
    return sequence === expected ? undefined : "OUT_OF_ORDER";
  }

  #name(): string {
    return NAMES[below(this.#random, NAMES.length)] as string;
  }

  #options(): Partial<TopicOptions> {
    const random = this.#random;
    const pick = (...values: (number | undefined)[]) => values[below(random, values.length)];
    const options = {
      retentionMs: pick(undefined, 0, 60_000, 86_400_000),
      retentionBytes: pick(undefined, 0, 20_000, 1),
      segmentBytes: pick(undefined, 4_096, 8_192, 300_000),
      segmentMs: pick(undefined, 1_000, 60_000),
    };
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  }
}

/** All segments of a machine. */
export function segmentsOf(machine: Machine): ListedSegment[] {
  const all: ListedSegment[] = [];
  let after: SegmentId | undefined;
  do {
    const page = decodeSegments(bodyOf(machine.query(segmentsQuestion(after))));
    all.push(...page.segments);
    after = page.after;
  } while (after !== undefined);
  return all;
}

/** The body of what must be a success. */
export function bodyOf(result: Result | undefined): Uint8Array {
  assert.ok(result?.ok, JSON.stringify(result));
  return result.body;
}

/** How much there is in a machine. */
export function totalsOf(machine: Machine): ReturnType<typeof decodeTopicTotals> {
  return decodeTopicTotals(bodyOf(machine.query(topicTotalsQuestion())));
}

/** The message of an offset, and how many bytes had to be passed over before its batch. */
export function read(
  machine: Machine,
  segments: SegmentBytes,
  name: string,
  partition: number,
  offset: number,
  bytes = 1,
): { message: TestMessage; skipped: number } {
  const question = locateQuestion({ topic: utf8(name), partition, offset, bytes });
  const { topic, spans } = decodeLocation(bodyOf(machine.query(question)));
  let skipped = 0;
  for (const { base, position, end } of spans) {
    const file = segments.of({ topic, partition, base });
    for (let at = position; at < end;) {
      const head = readBatchHead(file, at) ?? assert.fail("no batch");
      assert.ok(at + head.size <= end, "a span ends with a batch");
      assert.ok(isBatchWhole(file, at, head.size));
      if (offset < head.baseOffset + head.count) {
        const found = decodeMessages(file.subarray(at + BATCH_HEAD_BYTES, at + head.size));
        assert.equal(found.length, head.count);
        const hasNulls = found.some(({ key, value }) => key === null || value === null);
        assert.equal(head.attributes, hasNulls ? HAS_NULLS : 0);
        const message = found[offset - head.baseOffset] ?? assert.fail("no such message");
        return { message, skipped };
      }
      at += head.size;
      skipped += head.size;
    }
  }
  assert.fail(`offset ${offset} is in no span`);
}

/** The offset of the first message at or after a time, -1 when there is none, and how many bytes had to be looked through. */
export function readByTime(
  machine: Machine,
  segments: SegmentBytes,
  name: string,
  partition: number,
  time: bigint,
): { offset: number; bytes: number } {
  let bytes = 0;
  const halves = { high: Number(time >> 32n), low: Number(time & 0xffff_ffffn) };
  for (let from = START_OFFSET;;) {
    const question = locateTimeQuestion({ topic: utf8(name), partition, time: halves, from });
    const { topic, offset, next, spans } = decodeLocation(bodyOf(machine.query(question)));
    const [span, ...others] = spans;
    assert.deepEqual(others, []);
    if (span === undefined) {
      assert.equal(offset, next);
      return { offset: -1, bytes };
    }
    const { base, position, end } = span;
    const file = segments.of({ topic, partition, base });
    bytes += end - position;
    for (let at = position; at < end;) {
      const head = readBatchHead(file, at) ?? assert.fail("no batch");
      const messages = decodeMessages(file.subarray(at + BATCH_HEAD_BYTES, at + head.size));
      for (const message of messages) {
        if (message.offset < offset || message.timestamp < time) continue;
        return { offset: Number(message.offset), bytes };
      }
      assert.ok(head.baseOffset + head.count > from, "it goes on");
      from = head.baseOffset + head.count;
      at += head.size;
      assert.ok(at <= end, "a stretch ends with a batch");
    }
  }
}

function sum(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((all, { bytes }) => all + bytes, 0);
}

/** Fails unless it was not done, for this reason. */
export function refused(result: Result, reason: string): void {
  assert.equal(result.ok ? "done" : result.reason, reason);
}

function produced(result: Result, baseOffset: number, count: number, next: number): void {
  assert.deepEqual(decodeProduced(bodyOf(result)), { baseOffset, count, next });
}

function newPartition(): TestPartition {
  return { batches: [], start: 0, next: 0, producers: new Map() };
}

function appended(
  partition: TestPartition,
  messages: readonly TestMessage[],
  time: number,
): TestBatch {
  const batch = {
    base: partition.next,
    at: time,
    bytes: BATCH_HEAD_BYTES + encodeMessages(messages).length,
    messages: messages.map((message, i) => ({
      ...message,
      offset: BigInt(partition.next + i),
      timestamp: message.timestamp === 0n ? BigInt(time) * 1_000_000n : message.timestamp,
    })),
  };
  partition.batches.push(batch);
  partition.next += messages.length;
  return batch;
}

function remember(
  { producers }: TestPartition,
  sequence: Sequence,
  batch: TestBatch,
  lastAt: number,
): void {
  const { producer, epoch } = sequence;
  const known = producers.get(producer);
  const before = known?.epoch === epoch ? known.batches : [];
  producers.set(producer, { epoch, lastAt, batches: [...before, { ...sequence, batch }] });
}
