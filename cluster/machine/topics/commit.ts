/**
 * COMMIT_OFFSETS and GROUP_OFFSETS: how far the consumers of a group have come.
 *
 * @module
 */

import { Reader, type Writer, written } from "../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall, type Question } from "../module.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import { timeAfter } from "./append.ts";
import {
  BAD_GROUP,
  GROUP_LIFE_MS,
  MAX_ALL_COMMITTED,
  MAX_COMMITTED,
  MAX_COMMITTED_BYTES,
  MAX_METADATA_BYTES,
  TOO_LARGE,
} from "./limits.ts";
import { type MemberName, readMember, writeMember } from "./groups/calls.ts";
import { type Committer, fenceOf, NO_MEMBER } from "./groups/fence.ts";
import { isGroup } from "./names.ts";
import { putDue } from "./rows/due.ts";
import { TOPICS } from "./rows/keys.ts";
import {
  getCommitted,
  lastCommit,
  type OffsetPlace,
  placesOfGroup,
  putCommitted,
  putLastCommit,
} from "./rows/offsets.ts";
import { getIdentity, getTopic } from "./rows/topic.ts";
import { getTotals, putTotals, type Totals } from "./rows/totals.ts";

/** Number of the command. */
export const COMMIT_OFFSETS = 7;
/** Number of the question. */
export const GROUP_OFFSETS = 5;

/** An offset to be committed. */
export interface Commit {
  readonly topic: Uint8Array;
  readonly partition: number;
  /** The offset of the first message that is still to be dealt with. */
  readonly offset: number;
  /** At most 4 KiB. */
  readonly metadata: Uint8Array;
}

/** What has become of each of them. */
export const COMMITTED = {
  done: 0,
  topicNotFound: 1,
  partitionNotFound: 2,
  metadataTooLong: 3,
  quotaExceeded: 4,
  /** Another member may be reading the partition. */
  notOwned: 5,
} as const;

/** A partition by the name of its topic. */
export interface NamedPlace {
  readonly topic: Uint8Array;
  readonly partition: number;
}

/** What a group has committed for a partition. */
export interface GroupOffset extends NamedPlace {
  /** `NOT_COMMITTED` when there is nothing. */
  readonly offset: number;
  readonly metadata: Uint8Array;
}

/** Some of what a group has committed. */
export interface GroupOffsets {
  readonly offsets: readonly GroupOffset[];
  /** Where the rest begins, if there is one. */
  readonly after: OffsetPlace | undefined;
}

/** The offset that was never committed. */
export const NOT_COMMITTED = -1;

/** Offsets of a page. */
const MAX_LISTED = 1_000;

const VERSION = 1;
const MAX_U32 = 0xffff_ffff;
const MAX = Number.MAX_SAFE_INTEGER;
const NOTHING = new Uint8Array();
/** The id of no topic. */
const NO_TOPIC = 0;

/** The command that commits offsets of a group, at most {@linkcode MAX_COMMITTED}. Its result has one of {@linkcode COMMITTED} for each. */
export function commitOffsetsCommand(
  group: Uint8Array,
  commits: readonly Commit[],
  { member, generation }: Committer = NO_MEMBER,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, COMMIT_OFFSETS, (writer) => {
    writeMember(writer, { group, member, generation });
    writer.uint(commits.length);
    for (const { topic, partition, offset, metadata } of commits) {
      writer.bytes(topic);
      writer.uint(partition);
      writer.uint(offset);
      writer.bytes(metadata);
    }
  });
}

/** The question what a group has committed for these partitions, at most {@linkcode MAX_COMMITTED}. */
export function groupOffsetsQuestion(
  group: Uint8Array,
  places: readonly NamedPlace[],
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, GROUP_OFFSETS, (writer) => {
    writer.bytes(group);
    writer.uint(SOME);
    writer.uint(places.length);
    for (const { topic, partition } of places) {
      writer.bytes(topic);
      writer.uint(partition);
    }
  });
}

/** The question for all that a group has committed, or for what follows a place. */
export function allGroupOffsetsQuestion(
  group: Uint8Array,
  after?: OffsetPlace,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, GROUP_OFFSETS, (writer) => {
    writer.bytes(group);
    writer.uint(after === undefined ? ALL : AFTER);
    if (after !== undefined) {
      writer.uint(after.topic);
      writer.uint(after.partition);
    }
  });
}

/**
 * What a group has committed, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeGroupOffsets(body: Uint8Array): GroupOffsets {
  const reader = new Reader(body);
  const after = reader.nil()
    ? undefined
    : { topic: readUint(reader, 0, MAX), partition: readUint(reader, 0, MAX_U32) };
  const offsets: GroupOffset[] = [];
  while (reader.remaining > 0) {
    offsets.push({
      topic: readBytes(reader),
      partition: readUint(reader, 0, MAX_U32),
      offset: readUint(reader, 0, MAX) - 1,
      metadata: readBytes(reader),
    });
  }
  return { offsets, after };
}

const ALL = 0;
const AFTER = 1;
const SOME = 2;

/** The command. */
export const commitOffsets: Command<
  MemberName & { readonly commits: readonly Commit[] }
> = {
  since: VERSION,
  read(reader) {
    const name = readMember(reader);
    const commits: Commit[] = [];
    for (let left = readUint(reader, 0, MAX_COMMITTED); left > 0; left--) {
      commits.push({
        topic: readBytes(reader),
        partition: readUint(reader, 0, MAX_U32),
        offset: readUint(reader, 0, MAX),
        metadata: readBytes(reader),
      });
    }
    return { ...name, commits };
  },
  apply(state, { time, groups }, { group, commits, ...committer }) {
    if (!isGroup(group)) return BAD_GROUP;
    const fence = fenceOf(state, group, committer);
    if (typeof fence !== "function") return fence;
    if (committer.member > 0) groups?.push({ kind: "heard", member: committer.member });
    const totals = getTotals(state);
    const body = new Uint8Array(commits.length);
    commits.forEach((commit, i) => {
      const isOwn = fence(commit.topic, commit.partition);
      body[i] = isOwn ? judgeCommit(state, totals, group, commit) : COMMITTED.notOwned;
      if (body[i] === COMMITTED.done) keepCommit(state, time, group, commit);
    });
    if (body.includes(COMMITTED.done)) {
      touchGroup(state, time, group);
      putTotals(state, totals);
    }
    return { ok: true, rev: 0, body };
  },
};

/** The question. */
export const groupOffsets: Question<
  {
    readonly group: Uint8Array;
    readonly places: readonly NamedPlace[] | undefined;
    readonly after: OffsetPlace | undefined;
  }
> = {
  since: VERSION,
  read(reader) {
    const group = readBytes(reader);
    const kind = readUint(reader, ALL, SOME);
    if (kind === ALL) return { group, places: undefined, after: undefined };
    if (kind === AFTER) {
      const after = { topic: readUint(reader, 0, MAX), partition: readUint(reader, 0, MAX_U32) };
      return { group, places: undefined, after };
    }
    const places: NamedPlace[] = [];
    for (let left = readUint(reader, 0, MAX_COMMITTED); left > 0; left--) {
      places.push({ topic: readBytes(reader), partition: readUint(reader, 0, MAX_U32) });
    }
    return { group, places, after: undefined };
  },
  answer(state, { group, places, after }) {
    if (!isGroup(group)) return BAD_GROUP;
    let isTooLarge = false;
    const body = written("rpc", (writer) => {
      if (places === undefined) return writePage(writer, state, group, after);
      writer.nil();
      for (const { topic: name, partition } of places) {
        isTooLarge ||= writer.length > MAX_COMMITTED_BYTES;
        if (isTooLarge) return;
        const topic = getTopic(state, name)?.id ?? NO_TOPIC;
        writeOffset(writer, state, group, name, { topic, partition });
      }
    });
    return isTooLarge ? TOO_LARGE : { ok: true, rev: 0, body };
  },
};

/**
 * Whether an offset may be committed: {@linkcode COMMITTED} `done`, or why not. One for a partition of which the group has none
 * counts from then on in `totals`.
 */
export function judgeCommit(
  state: StoreReader,
  totals: Totals,
  group: Uint8Array,
  { topic: name, partition, metadata }: Commit,
): number {
  const topic = getTopic(state, name);
  if (topic === undefined) return COMMITTED.topicNotFound;
  if (partition >= topic.partitions) return COMMITTED.partitionNotFound;
  if (metadata.length > MAX_METADATA_BYTES) return COMMITTED.metadataTooLong;
  if (getCommitted(state, group, { topic: topic.id, partition }) !== undefined) {
    return COMMITTED.done;
  }
  if (totals.offsets >= MAX_ALL_COMMITTED) return COMMITTED.quotaExceeded;
  totals.offsets++;
  return COMMITTED.done;
}

/** Keeps an offset that may be committed; whether there was none before. */
export function keepCommit(
  state: Transaction,
  time: number,
  group: Uint8Array,
  { topic: name, partition, offset, metadata }: Commit,
): boolean {
  const topic = getTopic(state, name);
  if (topic === undefined) throw new Error("Expected the topic of an offset");
  const place = { topic: topic.id, partition };
  return putCommitted(state, group, place, { offset, at: time, metadata });
}

/** A group has committed something: it is forgotten long after it. */
export function touchGroup(state: Transaction, time: number, group: Uint8Array): void {
  if (lastCommit(state, group) === undefined) {
    putDue(state, timeAfter(time, GROUP_LIFE_MS), { kind: "group", group });
  }
  putLastCommit(state, group, time);
}

function writePage(
  writer: Writer,
  state: StoreReader,
  group: Uint8Array,
  after: OffsetPlace | undefined,
): void {
  const places = placesOfGroup(state, group, after, MAX_LISTED);
  const last = places.at(-1);
  if (places.length < MAX_LISTED || last === undefined) {
    writer.nil();
  } else {
    writer.uint(last.topic);
    writer.uint(last.partition);
  }
  for (const place of places) {
    const identity = getIdentity(state, place.topic);
    if (identity === undefined || identity.deletedPartitions > 0) continue;
    writeOffset(writer, state, group, identity.name, place);
  }
}

function writeOffset(
  writer: Writer,
  state: StoreReader,
  group: Uint8Array,
  name: Uint8Array,
  place: OffsetPlace,
): void {
  const found = getCommitted(state, group, place);
  writer.bytes(name);
  writer.uint(place.partition);
  writer.uint((found?.offset ?? NOT_COMMITTED) + 1);
  writer.bytes(found?.metadata ?? NOTHING);
}
