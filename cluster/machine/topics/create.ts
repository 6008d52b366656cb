/**
 * CREATE, ALTER and DELETE: topics come, change and go.
 *
 * A deleted topic is gone at once. What it has left is swept few rows at a time, and removed with it are its segments.
 *
 * @module
 */

import type { Reader, Writer } from "../../../protocol/msgpack/mod.ts";
import { type Command, type Context, encodeCall } from "../module.ts";
import type { Failure, Result } from "../result.ts";
import type { Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import {
  BAD_OPTIONS,
  BAD_PARTITIONS,
  BAD_TOPIC,
  LEAST_MS,
  MAX_ALL_PARTITIONS,
  MAX_PARTITIONS,
  MAX_TOPICS,
  QUOTA_EXCEEDED,
  SEGMENT_BYTES,
  TOPIC_EXISTS,
  TOPIC_NOT_FOUND,
} from "./limits.ts";
import { isName } from "./names.ts";
import { putDue, setDue } from "./rows/due.ts";
import { below, nameKey, numbersOf, TABLE, TOPICS } from "./rows/keys.ts";
import { partitionOf, putPartition } from "./rows/partition.ts";
import {
  DEFAULT_OPTIONS,
  getTopic,
  OPTION_NAMES,
  putIdentity,
  putTopic,
  type Topic,
  type TopicOptions,
} from "./rows/topic.ts";
import { getTotals, putTotals } from "./rows/totals.ts";

/** Numbers of the commands. */
export const CREATE = 1;
/** See {@linkcode CREATE}. */
export const DELETE = 2;
/** See {@linkcode CREATE}. */
export const ALTER = 3;

/** A topic to be made. */
export interface Creation {
  /** Its name: 1 to 249 bytes of `A-Za-z0-9._-`, but not `.` and `..`. */
  readonly topic: Uint8Array;
  /** From 1 to 1,024. */
  readonly partitions: number;
  /** How many servers are asked for to keep it, which all do; 0: nobody asks. */
  readonly replicas?: number;
  readonly options?: Partial<TopicOptions>;
}

/** What is to change of a topic. */
export interface Alteration {
  readonly topic: Uint8Array;
  /** Those that are to be others. */
  readonly options: Partial<TopicOptions>;
}

const VERSION = 1;
const MAX_U32 = 0xffff_ffff;
const NOTHING = new Uint8Array();
const NO = Uint8Array.of(0);
const YES = Uint8Array.of(1);

/** The command that makes a topic. Its result, for {@linkcode hasCreated}, says whether there was none. */
export function createTopicCommand(
  { topic, partitions, replicas = 0, options = {} }: Creation,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, CREATE, (writer) => {
    writer.bytes(topic);
    writer.uint(partitions);
    writer.uint(replicas);
    writeOptions(writer, options);
  });
}

/** Whether a topic was made, by the body of the result; else there was one with as many partitions. */
export function hasCreated(body: Uint8Array): boolean {
  return body[0] === 1;
}

/** The command that changes a topic. */
export function alterTopicCommand({ topic, options }: Alteration): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, ALTER, (writer) => {
    writer.bytes(topic);
    writeOptions(writer, options);
  });
}

/** The command that deletes a topic. */
export function deleteTopicCommand(topic: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, DELETE, (writer) => writer.bytes(topic));
}

/** The command. */
export const create: Command<Required<Creation>> = {
  since: VERSION,
  read: (reader) => ({
    topic: readBytes(reader),
    partitions: readUint(reader, 0, MAX_U32),
    replicas: readUint(reader, 0, MAX_U32),
    options: readOptions(reader),
  }),
  apply(state, context, { topic: name, partitions, replicas, options }) {
    if (!isName(name)) return BAD_TOPIC;
    if (partitions === 0 || partitions > MAX_PARTITIONS) return BAD_PARTITIONS;
    const all = { ...DEFAULT_OPTIONS, ...options };
    if (!isRight(all)) return BAD_OPTIONS;
    const found = getTopic(state, name);
    if (found !== undefined) return found.partitions === partitions ? done(NO) : TOPIC_EXISTS;
    const made = makeTopic(state, context, name, partitions, replicas, all);
    return "ok" in made ? made : done(YES);
  },
};

/** The command. */
export const alter: Command<Alteration> = {
  since: VERSION,
  read: (reader) => ({ topic: readBytes(reader), options: readOptions(reader) }),
  apply(state, { time }, { topic: name, options }) {
    const topic = getTopic(state, name);
    if (topic === undefined) return isName(name) ? TOPIC_NOT_FOUND : BAD_TOPIC;
    const all = { ...topic, ...options };
    if (!isRight(all)) return BAD_OPTIONS;
    putTopic(state, name, all);
    lookAfterAll(state, time, topic.id);
    if (all.dedupeMs < topic.dedupeMs) putDue(state, time, { kind: "ids", topic: topic.id });
    return done(NOTHING);
  },
};

/** The command. */
export const del: Command<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  apply(state, { time }, name) {
    const topic = getTopic(state, name);
    if (topic === undefined) return isName(name) ? TOPIC_NOT_FOUND : BAD_TOPIC;
    state.delete(nameKey(state, name));
    putIdentity(state, topic.id, { deletedPartitions: topic.partitions, name });
    putDue(state, time, { kind: "topic", topic: topic.id });
    return done(NOTHING);
  },
};

/** Makes a topic that there is not, if there is room for it. */
export function makeTopic(
  state: Transaction,
  { time }: Context,
  name: Uint8Array,
  partitions: number,
  replicas: number,
  options: TopicOptions,
): Topic | Failure {
  if (!isName(name)) return BAD_TOPIC;
  const totals = getTotals(state);
  totals.topics++;
  totals.partitions += partitions;
  if (totals.topics > MAX_TOPICS || totals.partitions > MAX_ALL_PARTITIONS) return QUOTA_EXCEEDED;
  const topic = { ...options, id: ++totals.lastTopic, partitions, replicas, createdAt: time };
  putTotals(state, totals);
  putTopic(state, name, topic);
  putIdentity(state, topic.id, { deletedPartitions: 0, name });
  return topic;
}

function writeOptions(writer: Writer, options: Partial<TopicOptions>): void {
  for (const name of OPTION_NAMES) {
    const value = options[name];
    if (value === undefined) writer.nil();
    else writer.uint(value);
  }
}

function readOptions(reader: Reader): Partial<TopicOptions> {
  const options: Partial<Record<keyof TopicOptions, number>> = {};
  for (const name of OPTION_NAMES) {
    if (!reader.nil()) options[name] = readUint(reader, 0, Number.MAX_SAFE_INTEGER);
  }
  return options;
}

function isRight({ retentionMs, segmentBytes, segmentMs, dedupeMs }: TopicOptions): boolean {
  return (retentionMs === 0 || retentionMs >= LEAST_MS) && segmentMs >= LEAST_MS &&
    (dedupeMs === 0 || dedupeMs >= LEAST_MS) && segmentBytes >= SEGMENT_BYTES.least &&
    segmentBytes <= SEGMENT_BYTES.most;
}

/** Other messages may have to go from now on. */
function lookAfterAll(state: Transaction, time: number, topic: number): void {
  const { from, to } = below(state, TABLE.partitions, topic);
  for (const { key, value } of state.range(from, to, MAX_PARTITIONS)) {
    const [, number] = numbersOf(TABLE.partitions, key) as [number, number];
    const partition = partitionOf(topic, number, value);
    if (partition.bytes === 0) continue;
    setDue(state, partition, time);
    putPartition(state, partition);
  }
}

function done(body: Uint8Array): Result {
  return { ok: true, rev: 0, body };
}
