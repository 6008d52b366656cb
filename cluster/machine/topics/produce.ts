/**
 * PRODUCE: appends messages to a partition, all of them or none, and INIT_PRODUCER, which gives a producer its id.
 *
 * A producer that numbers its messages may send a batch again whose answer it has not got: one of the last
 * {@linkcode KNOWN_BATCHES} is not appended anew, and has the same answer.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../protocol/bytes.ts";
import { DecodeError, type Reader } from "../../../protocol/msgpack/mod.ts";
import { checkMessages } from "../../../protocol/topics/message_set.ts";
import { type Command, type Context, encodeCall } from "../module.ts";
import type { Result } from "../result.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import { append, timeAfter } from "./append.ts";
import { BATCH_HEAD_BYTES } from "./batch.ts";
import { makeTopic } from "./create.ts";
import {
  BAD_MESSAGES,
  BAD_TOPIC,
  MAX_BATCH_BYTES,
  MAX_PRODUCERS,
  OUT_OF_ORDER,
  PARTITION_NOT_FOUND,
  PRODUCER_FENCED,
  PRODUCER_LIFE_MS,
  QUOTA_EXCEEDED,
  TOPIC_NOT_FOUND,
  UNKNOWN_PRODUCER,
} from "./limits.ts";
import { isName } from "./names.ts";
import { putDue } from "./rows/due.ts";
import { TOPICS } from "./rows/keys.ts";
import { getPartition, type Partition } from "./rows/partition.ts";
import {
  getProducer,
  type KnownBatch,
  putProducer,
  sequenceAfter,
  withBatch,
} from "./rows/producer.ts";
import { DEFAULT_OPTIONS, getTopic } from "./rows/topic.ts";
import { getTotals, putTotals } from "./rows/totals.ts";

/** Numbers of the commands. */
export const PRODUCE = 5;
/** See {@linkcode PRODUCE}. */
export const INIT_PRODUCER = 6;

/** What a producer says of a batch. */
export interface Sequence {
  /** The id that it was given. */
  readonly producer: number;
  /** Of several that go by one id, the one with the greatest epoch counts; up to 65,535. */
  readonly epoch: number;
  /** The number of the first message, from 0 to 2^31-1: one more than that of the last message before. */
  readonly sequence: number;
}

/** Messages to be appended. */
export interface Produce {
  /** Name of the topic. */
  readonly topic: Uint8Array;
  readonly partition: number;
  /** Makes the topic if there is none, with one partition. */
  readonly autoCreate?: boolean;
  /** Default: a batch that comes twice is appended twice. */
  readonly sequence?: Sequence | undefined;
  /** How many messages there are. */
  readonly count: number;
  /** The messages, one after the other. */
  readonly messages: Uint8Array;
}

/** What has come of it. */
export interface Produced {
  /** The offset of the first message. */
  readonly baseOffset: number;
  readonly count: number;
  /** The offset that the next message of the partition gets. */
  readonly next: number;
}

type Arguments = Required<Produce>;

const VERSION = 1;
const AUTO_CREATE = 1;
const SEQUENCE = 2;
const MAX_EPOCH = 0xffff;
const MAX_SEQUENCE = 0x7fff_ffff;
const MAX_U32 = 0xffff_ffff;
const PRODUCED_BYTES = 20;

/** The command that appends messages. Its result is {@linkcode Produced}. */
export function produceCommand(
  { topic, partition, autoCreate, sequence, count, messages }: Produce,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, PRODUCE, (writer) => {
    writer.bytes(topic);
    writer.uint(partition);
    writer.uint((autoCreate ? AUTO_CREATE : 0) | (sequence === undefined ? 0 : SEQUENCE));
    if (sequence !== undefined) {
      writer.uint(sequence.producer);
      writer.uint(sequence.epoch);
      writer.uint(sequence.sequence);
    }
    writer.uint(count);
    writer.bytes(messages);
  });
}

/**
 * What has come of a produce, by the body of its result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeProduced(body: Uint8Array): Produced {
  if (body.length !== PRODUCED_BYTES) {
    throw new DecodeError(`Expected ${PRODUCED_BYTES} bytes of an answer, got ${body.length}`);
  }
  return { baseOffset: getU64(body, 0), count: getU32(body, 8), next: getU64(body, 12) };
}

/** The command that gives an id to a producer, which is the body of its result, for {@linkcode decodeProducer}. */
export function initProducerCommand(): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, INIT_PRODUCER, () => {});
}

/**
 * The id in the body of a result.
 *
 * @throws {DecodeError} when there is none
 */
export function decodeProducer(body: Uint8Array): number {
  if (body.length === 8) return getU64(body, 0);
  throw new DecodeError(`Expected 8 bytes of an id, got ${body.length}`);
}

/** The command. */
export const produce: Command<Arguments> = {
  since: VERSION,
  read(reader) {
    const topic = readBytes(reader);
    const partition = readUint(reader, 0, MAX_U32);
    const flags = readUint(reader, 0, AUTO_CREATE | SEQUENCE);
    return {
      topic,
      partition,
      autoCreate: (flags & AUTO_CREATE) !== 0,
      sequence: (flags & SEQUENCE) === 0 ? undefined : readSequence(reader),
      count: readUint(reader, 0, MAX_U32),
      messages: readBytes(reader),
    };
  },
  apply(state, context, args) {
    const { topic: name, partition: number, autoCreate, sequence, count } = args;
    const found = getTopic(state, name);
    if (found === undefined && !autoCreate) return isName(name) ? TOPIC_NOT_FOUND : BAD_TOPIC;
    if (number >= (found?.partitions ?? 1)) return PARTITION_NOT_FOUND;
    const { messages: bytes } = args;
    const checked = checkMessages(bytes, count, true);
    if (typeof checked === "string" || count === 0 || bytes.length > MOST) return BAD_MESSAGES;
    const known = sequence && judge(state, found?.id ?? NO_TOPIC, number, sequence, count);
    if (known !== undefined) return known;
    const topic = found ?? makeTopic(state, context, name, 1, 0, DEFAULT_OPTIONS);
    if ("ok" in topic) return topic;
    const partition = getPartition(state, topic.id, number);
    const { hasNulls } = checked;
    const baseOffset = append(state, context, topic, partition, { bytes, count, hasNulls });
    if (sequence !== undefined) {
      remember(state, context, partition, sequence, { count, baseOffset });
    }
    return produced(state, { baseOffset, count }, partition);
  },
};

/** Bytes of messages that a batch has room for. */
const MOST = MAX_BATCH_BYTES - BATCH_HEAD_BYTES;

/** The id of a topic that is still to be made. */
const NO_TOPIC = 0;

/** The command. */
export const initProducer: Command<void> = {
  since: VERSION,
  read() {},
  apply(state) {
    const totals = getTotals(state);
    totals.lastProducer++;
    putTotals(state, totals);
    const body = state.allocate(8);
    putU64(body, 0, totals.lastProducer);
    return { ok: true, rev: 0, body };
  },
};

function readSequence(reader: Reader): Sequence {
  return {
    producer: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    epoch: readUint(reader, 0, MAX_EPOCH),
    sequence: readUint(reader, 0, MAX_SEQUENCE),
  };
}

function produced(
  state: StoreReader,
  { baseOffset, count }: Omit<KnownBatch, "sequence">,
  { next }: Partition,
): Result {
  const body = state.allocate(PRODUCED_BYTES);
  putU64(body, 0, baseOffset);
  putU32(body, 8, count);
  putU64(body, 12, next);
  return { ok: true, rev: 0, body };
}

/** What came of the same batch before, or why this one is refused; `undefined` when it is to be appended. */
function judge(
  state: StoreReader,
  topic: number,
  partition: number,
  { producer, epoch, sequence }: Sequence,
  count: number,
): Result | undefined {
  const { epoch: lastEpoch, batches } = getProducer(state, topic, partition, producer);
  if (epoch < lastEpoch) return PRODUCER_FENCED;
  const known = epoch === lastEpoch ? batches : [];
  const same = known.find((batch) => batch.sequence === sequence && batch.count === count);
  if (same !== undefined) return produced(state, same, getPartition(state, topic, partition));
  if (batches.length === 0) {
    const { lastProducer, producers } = getTotals(state);
    if (producer === 0 || producer > lastProducer) return UNKNOWN_PRODUCER;
    if (producers >= MAX_PRODUCERS) return QUOTA_EXCEEDED;
  }
  const last = known.at(-1);
  return sequence === (last === undefined ? 0 : sequenceAfter(last)) ? undefined : OUT_OF_ORDER;
}

/** Keeps what a producer has appended. */
function remember(
  state: Transaction,
  { time }: Context,
  partition: Partition,
  { producer: id, epoch, sequence }: Sequence,
  batch: Omit<KnownBatch, "sequence">,
): void {
  const { topic, number } = partition;
  const producer = getProducer(state, topic, number, id);
  if (producer.batches.length === 0) {
    const totals = getTotals(state);
    totals.producers++;
    putTotals(state, totals);
    const due = { kind: "producer", topic, partition: number, producer: id } as const;
    putDue(state, timeAfter(time, PRODUCER_LIFE_MS), due);
  }
  const before = epoch === producer.epoch ? producer.batches : [];
  const batches = withBatch(before, { sequence, ...batch });
  putProducer(state, { ...producer, epoch, lastAt: time, batches });
}
