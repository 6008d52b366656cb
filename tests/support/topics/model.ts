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
  ANY_OFFSET,
  commitOffsetsCommand,
  createTopicCommand,
  decodeDescription,
  decodeGroupOffsets,
  decodeProduced,
  decodeStart,
  decodeTopics,
  decodeTopicsSwept,
  decodeTransacted,
  DEFAULT_OPTIONS,
  deleteTopicCommand,
  describeTopicQuestion,
  type ExpectedCommit,
  GROUP_LIFE_MS,
  groupOffsetsQuestion,
  hasCreated,
  initProducerCommand,
  listTopicsQuestion,
  NOT_COMMITTED,
  type Produce,
  produceCommand,
  type Produced,
  PRODUCER_LIFE_MS,
  type Sequence,
  STRETCH_BYTES,
  sweepTopicsCommand,
  type TopicOptions,
  transactCommand,
  trimCommand,
} from "../../../cluster/machine/topics/mod.ts";
import { ID_HEADER } from "../../../protocol/topics/mod.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { bodyOf, refused, segmentsOf, utf8 } from "./answers.ts";
import { read, readByTime, SegmentBytes, segmentName } from "./segment_bytes.ts";
import { encodeMessages, messageOf, randomMessage, type TestMessage } from "./messages.ts";
import {
  appended,
  idsAreRight,
  judge,
  newPartition,
  repeated,
  type TestPartition,
  type TestSent,
  type TestTopic,
} from "./model_batches.ts";

/** A command, and what must come of it. */
export interface TopicStep {
  readonly command: Uint8Array;
  /** Whether messages may go by it that nobody has named. */
  readonly isSweep?: boolean;
  /** Fails unless this is what must have come of it at that time. */
  check(result: Result, time: number): void;
}

/** Messages for a partition. */
interface TestPart {
  readonly name: string;
  readonly number: number;
  readonly autoCreate: boolean;
  readonly sequence: Sequence | undefined;
  readonly count: number;
  readonly messages: readonly TestMessage[];
}

/** Messages and offsets that belong together. */
interface TestTransaction {
  readonly parts: readonly TestPart[];
  readonly group: string;
  readonly commits:
    readonly (Omit<ExpectedCommit, "topic" | "metadata"> & { readonly topic: string })[];
}

/** Who produces, and by how much its epoch is another one than the last. */
interface TestIdentity {
  readonly id: number;
  readonly epochs: number;
}

const NAMES = ["a", "b.c", "t-1", "_"];
const GROUPS = ["g", "é"];
/** The naive `topics`. */
export class TopicModel {
  readonly topics = new Map<string, TestTopic>();
  readonly #random: SeededRandom;
  readonly #committed = new Map<string, number>();
  /** When each group has committed last. */
  readonly #groups = new Map<string, number>();
  /** The last ones that were tried. */
  #transactions: readonly TestTransaction[] = [];
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
    return kind < 26 ? this.#transact() : this.#produce();
  }

  /** A sweep of all that is due. */
  sweep(): TopicStep {
    return {
      command: sweepTopicsCommand(),
      isSweep: true,
      check: (result, time) => {
        assert.deepEqual(decodeTopicsSwept(bodyOf(result)), { more: false, upTo: time });
        for (const { partitions, ids, options } of this.topics.values()) {
          for (const [id, { at }] of ids) if (at + options.dedupeMs <= time) ids.delete(id);
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
    const { retentionMs, retentionBytes, segmentBytes, segmentMs, dedupeMs } = found;
    const options = { retentionMs, retentionBytes, segmentBytes, segmentMs, dedupeMs };
    assert.deepEqual(options, topic.options);
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
      ids: new Map(),
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
    const part = this.#part(below(this.#random, 2) === 0 ? undefined : this.#producer());
    return {
      command: produceCommand(commandPart(part)),
      check: (result, time) => {
        const known = this.#judge(part);
        if (typeof known === "string") return refused(result, known);
        assert.deepEqual(decodeProduced(bodyOf(result)), this.#append(part, known, time));
      },
    };
  }

  #transact(): TopicStep {
    const random = this.#random;
    const again = this.#transactions[below(random, this.#transactions.length)];
    const isAgain = again !== undefined && below(random, 4) === 0;
    const transaction = isAgain ? again : this.#transaction();
    if (!isAgain) this.#transactions = [...this.#transactions, transaction].slice(-3);
    const { parts, group, commits } = transaction;
    return {
      command: transactCommand({
        parts: parts.map(commandPart),
        group: utf8(group),
        commits: commits.map((one) => ({ ...one, topic: utf8(one.topic), metadata: utf8("") })),
      }),
      check: (result, time) => {
        const all = this.#judgeAll(transaction);
        if (typeof all === "string") return refused(result, all);
        const produced = parts.map((part, i) => this.#append(part, all[i], time));
        assert.deepEqual(decodeTransacted(bodyOf(result)), produced);
        if (commits.length === 0 || all.some((known) => known !== undefined)) return;
        this.#groups.set(group, time);
        for (const { topic, partition, offset } of commits) {
          this.#committed.set(`${group} ${topic} ${partition}`, offset);
        }
      },
    };
  }

  /** Mostly one in which nothing is wrong. */
  #transaction(): TestTransaction {
    const random = this.#random;
    const producer = below(random, 3) === 0 ? undefined : this.#producer();
    const parts: TestPart[] = [];
    for (let left = below(random, 5); left > 0; left--) {
      const isWild = below(random, 12) === 0;
      const part = this.#part(producer, isWild);
      const isThere = parts.some(({ name, number }) =>
        name === part.name && number === part.number
      );
      if (isWild || !isThere) parts.push(part);
    }
    const group = GROUPS[below(random, GROUPS.length)] as string;
    const commits: TestTransaction["commits"][number][] = [];
    for (let left = below(random, 3); left > 0; left--) {
      const [topic, partition] = this.#place(below(random, 12) === 0);
      const isThere = commits.some((one) => one.topic === topic && one.partition === partition);
      if (isThere && below(random, 8) > 0) continue;
      const now = this.#committed.get(`${group} ${topic} ${partition}`) ?? NOT_COMMITTED;
      const wrong = below(random, 12) === 0 ? below(random, 3) : now;
      const expected = below(random, 4) === 0 ? ANY_OFFSET : wrong;
      // Often one that may be there already.
      const offset = below(random, 3) === 0 ? Math.max(0, now) : below(random, 4);
      commits.push({ topic, partition, offset, expected });
    }
    return { parts, group: below(random, 20) === 0 ? "" : group, commits };
  }

  /** A partition that is there, or any. */
  #place(isWild: boolean): [name: string, number: number] {
    const random = this.#random;
    const topics = [...this.topics.values()];
    const topic = topics[below(random, topics.length)];
    if (isWild || topic === undefined) return [this.#name(), below(random, 4)];
    return [topic.name, below(random, topic.partitions.length)];
  }

  /** Messages for a partition. */
  #part(producer: TestIdentity | undefined, isWild = true): TestPart {
    const random = this.#random;
    const [name, number] = isWild
      ? [this.#name(), below(random, below(random, 3) === 0 ? 4 : 1)]
      : this.#place(false);
    const autoCreate = below(random, 3) === 0;
    const partition = this.topics.get(name)?.partitions[number];
    const said = producer && this.#sequence(partition, producer, isWild);
    const isEmpty = isWild && below(random, 30) === 0;
    const messages = this.#messages(isEmpty ? 0 : said?.count ?? 1 + below(random, 4), isWild);
    const isWrong = isWild && below(random, 40) === 0;
    const count = isWrong ? messages.length + 1 : messages.length;
    return { name, number, autoCreate, sequence: said?.sequence, count, messages };
  }

  /** Why a part is refused, or the same one that was here before. */
  #judge(
    { name, number, autoCreate, sequence, count, messages }: TestPart,
  ): TestSent | string | undefined {
    const topic = this.topics.get(name);
    if (topic === undefined && !autoCreate) return "TOPIC_NOT_FOUND";
    const partition = topic === undefined ? newPartition() : topic.partitions[number];
    if (partition === undefined || (topic === undefined && number > 0)) {
      return "PARTITION_NOT_FOUND";
    }
    if (count === 0 || count !== messages.length || !idsAreRight(messages)) return "INVALID";
    return judge(partition, sequence, count, this.#lastProducer);
  }

  /** The same of a transaction: of each part, of which all were here before, or none. */
  #judgeAll({ parts, group, commits }: TestTransaction): (TestSent | undefined)[] | string {
    const all: (TestSent | undefined)[] = [];
    for (const [i, part] of parts.entries()) {
      if (parts.findIndex(({ name, number }) => name === part.name && number === part.number) < i) {
        return "INVALID";
      }
      const known = this.#judge(part);
      if (typeof known === "string") return known;
      if (i > 0 && (known === undefined) !== (all[0] === undefined)) return "OUT_OF_ORDER";
      all.push(known);
    }
    if (all.some((known) => known !== undefined)) return all;
    if (group === "" && commits.length > 0) return "INVALID";
    for (const [i, { topic: name, partition, offset, expected }] of commits.entries()) {
      const isSame = (one: { topic: string; partition: number }) =>
        one.topic === name && one.partition === partition;
      if (commits.findIndex(isSame) < i) return "INVALID";
      const topic = this.topics.get(name);
      if (topic === undefined) return "TOPIC_NOT_FOUND";
      if (partition >= topic.partitions.length) return "PARTITION_NOT_FOUND";
      const now = this.#committed.get(`${group} ${name} ${partition}`) ?? NOT_COMMITTED;
      const isDone = parts.length === 0 && now === offset;
      if (expected !== ANY_OFFSET && expected !== now && !isDone) return "OFFSET_MOVED";
    }
    return all;
  }

  /** Does what was judged. */
  #append(part: TestPart, known: TestSent | undefined, time: number): Produced {
    const { name, number, messages, sequence } = part;
    const topic = this.topics.get(name) ?? this.#add(name, 1, DEFAULT_OPTIONS);
    return known
      ? repeated(topic, number, known)
      : appended(topic, number, messages, sequence, time);
  }

  /** Some with ids that others have, too. */
  #messages(length: number, isWild: boolean): TestMessage[] {
    const random = this.#random;
    const hasIds = below(random, 2) === 0;
    return Array.from({ length }, () => {
      if (below(random, 40) === 0) return messageOf("x".repeat(below(random, 80_000)));
      const message = randomMessage(random, below(random, 2) === 0);
      if (!hasIds || below(random, 4) === 0) return message;
      const isWrong = isWild && below(random, 60) === 0;
      const size = isWrong ? below(random, 3) * 65 : 1 + below(random, 2);
      const id = [ID_HEADER, new Uint8Array(size).fill(below(random, 20))] as const;
      const other = isWild && below(random, 80) === 0 ? [id] : [];
      return { ...message, headers: [...message.headers, id, ...other] };
    });
  }

  /** Somebody who was given an id, or not. */
  #producer(): TestIdentity {
    const random = this.#random;
    const known = Math.min(this.#lastProducer, 3);
    const id = below(random, 12) === 0 ? below(random, known + 2) : 1 + below(random, known);
    return { id, epochs: [0, 0, 0, 0, 0, 1, -1][below(random, 7)] as number };
  }

  /** What it says of its next batch; or of one before, of so many messages. */
  #sequence(
    partition: TestPartition | undefined,
    { id: producer, epochs }: TestIdentity,
    isWild: boolean,
  ): { readonly sequence: Sequence; readonly count?: number } {
    const random = this.#random;
    const known = partition?.producers.get(producer);
    const batches = known?.batches ?? [];
    const last = batches.at(-1);
    const again = batches[below(random, batches.length)];
    const epoch = Math.max(0, (known?.epoch ?? 0) + epochs);
    if (isWild && again !== undefined && below(random, 4) === 0) {
      const { sequence, count } = again;
      return { sequence: { producer, sequence, epoch }, count: count + (below(random, 8) ? 0 : 1) };
    }
    const isNext = last !== undefined && epoch === known?.epoch;
    const next = isNext ? last.sequence + last.count : 0;
    const gap = isWild && below(random, 6) === 0 ? 1 : 0;
    return { sequence: { producer, epoch, sequence: next + gap } };
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
      dedupeMs: pick(undefined, undefined, 0, 1_000, 86_400_000),
    };
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  }
}

function sum(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((all, { bytes }) => all + bytes, 0);
}

function commandPart({ name, number, messages, ...rest }: TestPart): Produce {
  return { ...rest, topic: utf8(name), partition: number, messages: encodeMessages(messages) };
}
