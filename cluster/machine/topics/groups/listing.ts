/**
 * DESCRIBE_GROUP, LIST_GROUPS and GROUP_MEMBERS: which groups there are, who their members are and what each one owns.
 *
 * @module
 */

import { DecodeError, Reader } from "../../../../protocol/msgpack/mod.ts";
import { compareBytes } from "../../../../protocol/bytes.ts";
import { encodeUtf8 } from "../../../../protocol/text.ts";
import { encodeCall, type Question } from "../../module.ts";
import type { StoreReader } from "../../store/store.ts";
import { decodeTuple, keyAfter, keysBelow } from "../../store/tuple.ts";
import { readBytes, readUint } from "../../strict.ts";
import { BAD_GROUP, MAX_GROUP_MEMBERS, MAX_GROUP_TOPICS, UNKNOWN_GROUP } from "../limits.ts";
import { isGroup } from "../names.ts";
import { groupKey, TABLE, TOPICS } from "../rows/keys.ts";
import { lastCommit, placesOfGroup } from "../rows/offsets.ts";
import { getIdentity } from "../rows/topic.ts";
import { resultOf, type TopicPartitions, VERSION } from "./calls.ts";
import { type Group, type Member, newGroup } from "./group.ts";
import { getGroup, rowBytes } from "./row.ts";

/** Numbers of the questions. */
export const DESCRIBE_GROUP = 8;
export const LIST_GROUPS = 9;
export const GROUP_MEMBERS = 10;

/** Most groups of a page ... */
const MAX_LISTED = 100;
/** ... and most work of one but for one more group, in topics: some milliseconds. A row counts for one topic each so many bytes. */
const MAX_PAGE_WORK = 500;
const WORK_BYTES = 1_000;

const MAX_U32 = 0xffff_ffff;
const MAX = Number.MAX_SAFE_INTEGER;

/** A group and its members. */
export interface GroupDescription {
  readonly generation: number;
  /** Names of those that it shares. */
  readonly topics: readonly Uint8Array[];
  readonly members: readonly MemberDescription[];
}

/** A member of a group. */
export interface MemberDescription {
  readonly member: number;
  readonly client: Uint8Array;
  /** That of its last answer. */
  readonly generation: number;
  /** What it owns. */
  readonly owned: readonly TopicPartitions[];
}

/** A member, for who waits for it. */
export interface MemberTimes {
  readonly member: number;
  /** That of its last answer. */
  readonly generation: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Whether it owns what another one is to read, or nobody. */
  readonly isSlow: boolean;
}

/** A group of a list. */
export interface ListedGroup {
  readonly group: Uint8Array;
  readonly generation: number;
  readonly members: number;
  /** Names of those that it subscribes to, or has committed offsets of, by which it is known who may see it. */
  readonly topics: readonly Uint8Array[];
}

/** Some of the groups, by name. */
export interface GroupPage {
  readonly groups: readonly ListedGroup[];
  /** Whether there are more. */
  readonly more: boolean;
}

/** The question for a group and its members. */
export function describeGroupQuestion(group: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, DESCRIBE_GROUP, (writer) => writer.bytes(group));
}

/** The question for the members of a group; it has none when there is no such group. */
export function groupMembersQuestion(group: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, GROUP_MEMBERS, (writer) => writer.bytes(group));
}

/** The question for the first groups whose names follow one, of those that have members or offsets. */
export function listGroupsQuestion(after: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, LIST_GROUPS, (writer) => writer.bytes(after));
}

/**
 * A group, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeGroup(body: Uint8Array): GroupDescription {
  const reader = new Reader(body);
  const generation = readUint(reader, 0, MAX_U32);
  const topics: Uint8Array[] = [];
  for (let left = readUint(reader, 0, MAX_GROUP_TOPICS); left > 0; left--) {
    topics.push(readBytes(reader));
  }
  const members: MemberDescription[] = [];
  while (reader.remaining > 0) {
    members.push({
      member: readUint(reader, 0, MAX),
      client: readBytes(reader),
      generation: readUint(reader, 0, MAX_U32),
      owned: ownedIn(readBytes(reader), topics),
    });
  }
  return { generation, topics, members };
}

/**
 * The members of a group, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeMembers(body: Uint8Array): MemberTimes[] {
  const reader = new Reader(body);
  const members: MemberTimes[] = [];
  while (reader.remaining > 0) {
    members.push({
      member: readUint(reader, 0, MAX),
      generation: readUint(reader, 0, MAX_U32),
      sessionTimeoutMs: readUint(reader, 0, MAX_U32),
      rebalanceTimeoutMs: readUint(reader, 0, MAX_U32),
      isSlow: readUint(reader, 0, 1) === 1,
    });
  }
  return members;
}

/**
 * A page of groups, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeGroups(body: Uint8Array): GroupPage {
  const reader = new Reader(body);
  const groups: ListedGroup[] = [];
  while (reader.remaining > 1) {
    const group = readBytes(reader);
    const generation = readUint(reader, 0, MAX_U32);
    const members = readUint(reader, 0, MAX_GROUP_MEMBERS);
    const topics: Uint8Array[] = [];
    for (let left = readUint(reader, 0, MAX); left > 0; left--) topics.push(readBytes(reader));
    groups.push({ group, generation, members, topics });
  }
  return { groups, more: readUint(reader, 0, 1) === 1 };
}

/** The question. */
export const describeGroup: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, name) {
    if (!isGroup(name)) return BAD_GROUP;
    const found = getGroup(state, name);
    if (found === undefined && lastCommit(state, name) === undefined) return UNKNOWN_GROUP;
    const group = found ?? newGroup(name);
    const owned = ownedBy(group);
    return resultOf((writer) => {
      writer.uint(group.generation);
      writer.uint(group.topics.length);
      for (const topic of group.topics) writer.bytes(encodeUtf8(topic.name));
      for (const member of group.members) {
        writer.uint(member.number);
        writer.bytes(member.client);
        writer.uint(member.generation);
        writer.bytes(shortsOf(owned.get(member) ?? []));
      }
    });
  },
};

/** The question. */
export const groupMembers: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, name) {
    const group = getGroup(state, name) ?? newGroup(name);
    const slow = slowOnes(group);
    return resultOf((writer) => {
      for (const member of group.members) {
        writer.uint(member.number);
        writer.uint(member.generation);
        writer.uint(member.sessionTimeoutMs);
        writer.uint(member.rebalanceTimeoutMs);
        writer.uint(slow.has(member) ? 1 : 0);
      }
    });
  },
};

/** The question. */
export const listGroups: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, after) {
    if (after.length > 0 && !isGroup(after)) return BAD_GROUP;
    const groups = namesAfter(state, after);
    const told: Uint8Array[] = [];
    return resultOf((writer) => {
      let room = MAX_PAGE_WORK;
      for (const group of groups) {
        if (told.length === MAX_LISTED || room <= 0) break;
        const found = getGroup(state, group) ?? newGroup(group);
        const { generation, members, topics } = found;
        const names = [...topics.map(({ name }) => encodeUtf8(name)), ...committedTo(state, group)];
        writer.bytes(group);
        writer.uint(generation);
        writer.uint(members.length);
        writer.uint(names.length);
        for (const name of names) writer.bytes(name);
        room -= 1 + names.length + rowBytes(found) / WORK_BYTES;
        told.push(group);
      }
      writer.uint(told.length < groups.length ? 1 : 0);
    });
  },
};

/** Names of groups that follow one: enough for a page, and one more. */
function namesAfter(state: StoreReader, after: Uint8Array): Uint8Array[] {
  const names = new Map<string, Uint8Array>();
  for (const table of [TABLE.members, TABLE.groups]) {
    const { from, to } = keysBelow(table);
    const first = after.length === 0 ? from : keyAfter(groupKey(table, after));
    for (const { key } of state.range(first, to, MAX_LISTED + 1)) {
      const [, , group] = decodeTuple(key) as [0, 0, Uint8Array];
      names.set(group.toHex(), group);
    }
  }
  return [...names.values()].sort(compareBytes).slice(0, MAX_LISTED + 1);
}

/** Names of topics that a group has committed offsets of, but for the last of very many. */
function committedTo(state: StoreReader, group: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  let [place] = placesOfGroup(state, group, undefined, 1);
  for (; place !== undefined && names.length < MAX_GROUP_TOPICS;) {
    const identity = getIdentity(state, place.topic);
    if (identity !== undefined && identity.deletedPartitions === 0) names.push(identity.name);
    [place] = placesOfGroup(state, group, { ...place, partition: MAX }, 1);
  }
  return names;
}

/** For each member places of topics in their list, each with the number of a partition that it owns: two bytes and two. */
function ownedBy({ members, topics }: Group): Map<Member, number[]> {
  const owned = new Map(members.map((member): [Member, number[]] => [member, []]));
  topics.forEach(({ partitions }, place) => {
    partitions.forEach(({ owner }, number) => owner && owned.get(owner)?.push(place, number));
  });
  return owned;
}

function shortsOf(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * numbers.length);
  numbers.forEach((number, i) => {
    bytes[2 * i] = number >>> 8;
    bytes[2 * i + 1] = number;
  });
  return bytes;
}

function ownedIn(shorts: Uint8Array, topics: readonly Uint8Array[]): TopicPartitions[] {
  const owned: { topic: Uint8Array; partitions: number[] }[] = [];
  const at = (i: number): number => (shorts[i] as number) << 8 | (shorts[i + 1] as number);
  for (let i = 0; i + 4 <= shorts.length; i += 4) {
    const topic = topics[at(i)];
    if (topic === undefined) throw new DecodeError(`Group has no topic ${at(i)}`);
    const last = owned.at(-1);
    if (last?.topic === topic) last.partitions.push(at(i + 2));
    else owned.push({ topic, partitions: [at(i + 2)] });
  }
  return owned;
}

/** Who owns what another one is to read, or nobody. */
function slowOnes({ topics }: Group): Set<Member> {
  const slow = new Set<Member>();
  for (const { partitions } of topics) {
    for (const { target, owner } of partitions) if (owner && owner !== target) slow.add(owner);
  }
  return slow;
}
