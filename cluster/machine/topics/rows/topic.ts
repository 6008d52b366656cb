/**
 * Topics by their names and by their ids.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { isName } from "../names.ts";
import { nameKey, numbersKey, TABLE } from "./keys.ts";

/** How the messages of a topic are kept. */
export interface TopicOptions {
  /** Messages go so long after they were appended, in milliseconds, once their segment is that old; 0: never. Default 7 days. */
  readonly retentionMs: number;
  /** The oldest messages of a partition go while those after them take as many bytes; 0: never. Default 0. */
  readonly retentionBytes: number;
  /** A segment takes no batch that would make it longer. Default 64 MiB. */
  readonly segmentBytes: number;
  /** A segment takes no batch that comes so long after its first one, in milliseconds. Default 1 hour. */
  readonly segmentMs: number;
  /** Of messages with one id, one is appended within so many milliseconds; 0: all are. Default 2 minutes. */
  readonly dedupeMs: number;
}

/** Names of the options, in the order in which they are kept. */
export const OPTION_NAMES = [
  "retentionMs",
  "retentionBytes",
  "segmentBytes",
  "segmentMs",
  "dedupeMs",
] as const satisfies readonly (keyof TopicOptions)[];

/** How messages are kept where nobody says anything else. */
export const DEFAULT_OPTIONS: TopicOptions = {
  retentionMs: 7 * 86_400_000,
  retentionBytes: 0,
  segmentBytes: 64 * 1024 * 1024,
  segmentMs: 3_600_000,
  dedupeMs: 120_000,
};

/** A topic. */
export interface Topic extends TopicOptions {
  /** Its id, which no other topic ever has. */
  readonly id: number;
  readonly partitions: number;
  /** How many servers were asked for to keep it; 0: nobody has asked. All of them do. */
  readonly replicas: number;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
}

const ROW_BYTES = 8 + 4 + 4 + 8 + 8 * OPTION_NAMES.length;

/** The topic of a name. Any bytes give one or none. */
export function getTopic(state: StoreReader, name: Uint8Array): Topic | undefined {
  if (!isName(name)) return undefined;
  const row = state.get(nameKey(state, name));
  return row && topicOf(row);
}

/** The topic of a row. */
export function topicOf(row: Uint8Array): Topic {
  return {
    id: getU64(row, 0),
    partitions: getU32(row, 8),
    replicas: getU32(row, 12),
    createdAt: getU64(row, 16),
    retentionMs: getU64(row, 24),
    retentionBytes: getU64(row, 32),
    segmentBytes: getU64(row, 40),
    segmentMs: getU64(row, 48),
    dedupeMs: getU64(row, 56),
  };
}

/** Keeps a topic by its name. */
export function putTopic(state: Transaction, name: Uint8Array, topic: Topic): void {
  const row = state.allocate(ROW_BYTES);
  putU64(row, 0, topic.id);
  putU32(row, 8, topic.partitions);
  putU32(row, 12, topic.replicas);
  putU64(row, 16, topic.createdAt);
  OPTION_NAMES.forEach((option, i) => putU64(row, 24 + 8 * i, topic[option]));
  state.put(nameKey(state, name), row);
}

/** What is kept of a topic by its id: the partitions that it has as long as it is deleted and not swept, and its name. */
export interface Identity {
  /** 0 while there is the topic. */
  readonly deletedPartitions: number;
  readonly name: Uint8Array;
}

/** What is kept by an id. */
export function getIdentity(state: StoreReader, id: number): Identity | undefined {
  const row = state.get(numbersKey(state, TABLE.topics, id));
  return row && { deletedPartitions: getU32(row, 0), name: row.subarray(4) };
}

/** Keeps what belongs to an id. */
export function putIdentity(
  state: Transaction,
  id: number,
  { deletedPartitions, name }: Identity,
): void {
  const row = state.allocate(4 + name.length);
  putU32(row, 0, deletedPartitions);
  row.set(name, 4);
  state.put(numbersKey(state, TABLE.topics, id), row);
}
