/**
 * Bounds and refusals of topics. They are part of the format: what is refused is decided when an entry is applied, by all servers
 * alike.
 *
 * @module
 */

import type { Failure } from "../result.ts";

export { MAX_ID_BYTES, MAX_IDS } from "../../../protocol/topics/message_set.ts";

/** Longest name of a topic, in bytes. */
export const MAX_NAME_BYTES = 249;

/** Most topics, deleted ones too until they are swept. */
export const MAX_TOPICS = 10_000;

/** Most partitions of a topic. */
export const MAX_PARTITIONS = 1_024;

/** Most partitions of all topics, of deleted ones too until they are swept. */
export const MAX_ALL_PARTITIONS = 100_000;

/** Longest name of a consumer group, in bytes. */
export const MAX_GROUP_BYTES = 249;

/** Longest metadata of a committed offset, in bytes. */
export const MAX_METADATA_BYTES = 4 * 1024;

/** Most offsets that one entry commits, or one question asks for ... */
export const MAX_COMMITTED = 10_000;

/** ... and most bytes of an answer with what was committed. */
export const MAX_COMMITTED_BYTES = 8 * 1024 * 1024;

/** Most committed offsets of all groups. */
export const MAX_ALL_COMMITTED = 1_000_000;

/** Offsets of a group are forgotten so long after its last commit, in milliseconds. */
export const GROUP_LIFE_MS = 7 * 86_400_000;

/** Most members of a group ... */
export const MAX_GROUP_MEMBERS = 256;

/** ... most topics that they subscribe to, and one of them ... */
export const MAX_GROUP_TOPICS = 256;

/** ... and most partitions of those, each with what is left of topics that nobody subscribes to any more. */
export const MAX_GROUP_PARTITIONS = 10_000;

/** Most members of all groups. */
export const MAX_ALL_MEMBERS = 10_000;

/** Most bytes of what the state has of members, when one joins. */
export const MAX_ALL_GROUP_BYTES = 64 * 1024 * 1024;

/** Longest name that a member gives itself, in bytes. */
export const MAX_CLIENT_BYTES = 249;

/** Least and longest time, in milliseconds, that a member may be silent, and that it may take to hand partitions over. */
export const MEMBER_TIMEOUT_MS = { least: 1_000, most: 3_600_000 } as const;

/** Batches of a producer in a partition that are known when they come again. */
export const KNOWN_BATCHES = 5;

/** Most producers that are known, each counted in each partition. */
export const MAX_PRODUCERS = 1_000_000;

/** A producer is forgotten in a partition so long after its last batch there, in milliseconds. */
export const PRODUCER_LIFE_MS = 7 * 86_400_000;

/**
 * Most ids of messages that are known. Beyond, messages with ids are refused: to forget one early would break what was promised
 * to who has sent it.
 */
export const MAX_ALL_IDS = 1_000_000;

/** Most partitions that one transaction appends to, offsets that it commits and messages with ids, together: some milliseconds of work. */
export const MAX_TRANSACT_ITEMS = 1_024;

/** Most bytes of a batch: what an entry of the log may hold. */
export const MAX_BATCH_BYTES = 12 * 1024 * 1024;

/** A row of the index is written once so many bytes were appended to a segment since the last one. */
export const STRETCH_BYTES = 64 * 1024;

/** Least and greatest `segmentBytes`. */
export const SEGMENT_BYTES = { least: 4 * 1024, most: 1024 * 1024 * 1024 } as const;

/** Least `segmentMs`, and least `retentionMs` and `dedupeMs` but for 0. */
export const LEAST_MS = 1_000;

/** Most rows that one entry sweeps: some milliseconds of work. */
export const MAX_SWEPT_ROWS = 2_000;

/** The topic is not there. */
export const TOPIC_NOT_FOUND: Failure = { ok: false, code: 404, reason: "TOPIC_NOT_FOUND" };

/** The topic has no partition of that number. */
export const PARTITION_NOT_FOUND: Failure = { ok: false, code: 404, reason: "PARTITION_NOT_FOUND" };

/** There is such a topic with another number of partitions. */
export const TOPIC_EXISTS: Failure = { ok: false, code: 409, reason: "TOPIC_EXISTS" };

/** There is no such offset in the partition. */
export const OFFSET_OUT_OF_RANGE: Failure = { ok: false, code: 416, reason: "OFFSET_OUT_OF_RANGE" };

/** A name that breaks a rule. */
export const BAD_TOPIC: Failure = { ok: false, code: 422, reason: "INVALID", field: "topic" };

/** A number of partitions that is not from 1 to {@linkcode MAX_PARTITIONS}. */
export const BAD_PARTITIONS: Failure = {
  ok: false,
  code: 422,
  reason: "INVALID",
  field: "partitions",
};

/** Options that break a rule. */
export const BAD_OPTIONS: Failure = { ok: false, code: 422, reason: "INVALID", field: "options" };

/** What was to be appended are no messages. */
export const BAD_MESSAGES: Failure = { ok: false, code: 422, reason: "INVALID", field: "messages" };

/** The name of a group breaks a rule. */
export const BAD_GROUP: Failure = { ok: false, code: 422, reason: "INVALID", field: "group" };

/** What a group has committed takes too many bytes to be told at once. */
export const TOO_LARGE: Failure = { ok: false, code: 413, reason: "TOO_LARGE" };

/** There is as much as there may be: topics, partitions, producers, offsets, ids or members. */
export const QUOTA_EXCEEDED: Failure = { ok: false, code: 429, reason: "QUOTA_EXCEEDED" };

/** A batch does not follow the last one of its producer. */
export const OUT_OF_ORDER: Failure = { ok: false, code: 409, reason: "OUT_OF_ORDER" };

/** A later one of the same producer has taken over. */
export const PRODUCER_FENCED: Failure = { ok: false, code: 409, reason: "PRODUCER_FENCED" };

/** Nobody was given the id of this producer. */
export const UNKNOWN_PRODUCER: Failure = { ok: false, code: 404, reason: "UNKNOWN_PRODUCER" };

/** The group has no such member, or has members where none is named. */
export const UNKNOWN_MEMBER: Failure = { ok: false, code: 404, reason: "UNKNOWN_MEMBER" };

/** The group has neither members nor offsets. */
export const UNKNOWN_GROUP: Failure = { ok: false, code: 404, reason: "UNKNOWN_GROUP" };

/** There is something that the member is to stop, or to begin, to read. */
export const REBALANCING: Failure = { ok: false, code: 409, reason: "REBALANCE_IN_PROGRESS" };

/** The member was told something else since. */
export const INVALID_GENERATION: Failure = { ok: false, code: 409, reason: "INVALID_GENERATION" };

/** A time that is not from 1 s to an hour. */
export const BAD_TIMEOUT: Failure = { ok: false, code: 422, reason: "INVALID", field: "timeout" };

/** What a member calls itself breaks a rule. */
export const BAD_CLIENT: Failure = { ok: false, code: 422, reason: "INVALID", field: "client" };

/** There are more than {@linkcode MAX_TRANSACT_ITEMS}. */
export const BAD_ITEMS: Failure = { ok: false, code: 422, reason: "INVALID", field: "items" };

/** A partition comes twice. */
export const BAD_PARTS: Failure = { ok: false, code: 422, reason: "INVALID", field: "partition" };

/** Offsets for one partition come twice. */
export const BAD_COMMITS: Failure = { ok: false, code: 422, reason: "INVALID", field: "offset" };

/** The text with an offset is too long. */
export const METADATA_TOO_LONG: Failure = { ok: false, code: 413, reason: "METADATA_TOO_LONG" };

/** The group has another offset than who commits has thought. */
export const OFFSET_MOVED: Failure = { ok: false, code: 409, reason: "OFFSET_MOVED" };
