/**
 * How a group with members is kept: one row has all of it, so that a change of it is one row, and what is read of it fits together.
 *
 *     u32 generation | u16 topics | u16 members | topics | members
 *     topic    u8 length and name | u64 id | u16 partitions, each u16 target | u16 owner: 1 for the first member, 0 for none
 *     member   u64 number | u8 length and client | u32 session timeout | u32 rebalance timeout | u32 generation |
 *              u16 topics, each u16: 0 for the first one
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import { decodeUtf8, encodeUtf8 } from "../../../../protocol/text.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { isGroup } from "../names.ts";
import { groupKey, TABLE } from "../rows/keys.ts";
import type { Totals } from "../rows/totals.ts";
import type { Group, Member, SharedPartition, SharedTopic } from "./group.ts";

const HEAD_BYTES = 8;
const TOPIC_BYTES = 1 + 8 + 2;
const PARTITION_BYTES = 4;
const MEMBER_BYTES = 8 + 1 + 3 * 4 + 2;

/** A group; `undefined` when it has no members. Any bytes give one or none. */
export function getGroup(state: StoreReader, name: Uint8Array): Group | undefined {
  const row = isGroup(name) ? state.get(keyOf(name)) : undefined;
  return row && groupOf(name, row);
}

/** Whether a group has members, by a name that one may have. */
export function hasMembers(state: StoreReader, name: Uint8Array): boolean {
  return state.get(keyOf(name)) !== undefined;
}

/** What a group takes in the state. */
export function rowBytes({ topics, members }: Group): number {
  let bytes = HEAD_BYTES;
  for (const { name, partitions } of topics) {
    bytes += TOPIC_BYTES + name.length + PARTITION_BYTES * partitions.length;
  }
  for (const { client, topics } of members) {
    bytes += MEMBER_BYTES + client.length + 2 * topics.length;
  }
  return bytes;
}

/** Keeps a group; one without members is no more. The totals are told, and have to be kept then. */
export function putGroup(state: Transaction, totals: Totals, group: Group): void {
  const key = keyOf(group.name);
  const before = state.get(key);
  if (before !== undefined) {
    totals.groupBytes -= before.length;
    totals.members -= getU16(before, 6);
  }
  if (group.members.length === 0) return state.delete(key);
  const row = rowOf(state, group);
  totals.groupBytes += row.length;
  totals.members += group.members.length;
  state.put(key, row);
}

function keyOf(name: Uint8Array): Uint8Array {
  return groupKey(TABLE.members, name);
}

function rowOf(state: Transaction, group: Group): Uint8Array {
  const { generation, topics, members } = group;
  const row = state.allocate(rowBytes(group));
  const placeOf = new Map<Member | undefined, number>([[undefined, 0]]);
  members.forEach((member, i) => placeOf.set(member, i + 1));
  const indexOf = new Map(topics.map((topic, i) => [topic, i]));
  putU32(row, 0, generation);
  putU16(row, 4, topics.length);
  putU16(row, 6, members.length);
  let at = HEAD_BYTES;
  for (const { name, id, partitions } of topics) {
    at = putShort(row, at, encodeUtf8(name));
    putU64(row, at, id);
    putU16(row, at + 8, partitions.length);
    at += 10;
    for (const { target, owner } of partitions) {
      putU16(row, at, known(placeOf.get(target)));
      putU16(row, at + 2, known(placeOf.get(owner)));
      at += PARTITION_BYTES;
    }
  }
  for (const member of members) {
    putU64(row, at, member.number);
    at = putShort(row, at + 8, member.client);
    putU32(row, at, member.sessionTimeoutMs);
    putU32(row, at + 4, member.rebalanceTimeoutMs);
    putU32(row, at + 8, member.generation);
    putU16(row, at + 12, member.topics.length);
    at += 14;
    for (const topic of member.topics) {
      putU16(row, at, known(indexOf.get(topic)));
      at += 2;
    }
  }
  return row;
}

function groupOf(name: Uint8Array, row: Uint8Array): Group {
  const places: [target: number, owner: number][] = [];
  const topics: SharedTopic[] = [];
  let at = HEAD_BYTES;
  for (let left = getU16(row, 4); left > 0; left--) {
    const length = row[at] as number;
    const name = decodeUtf8(row.subarray(at + 1, at + 1 + length));
    at += 1 + length;
    const partitions: SharedPartition[] = [];
    const count = getU16(row, at + 8);
    topics.push({ name, id: getU64(row, at), partitions });
    at += 10;
    for (const end = at + PARTITION_BYTES * count; at < end; at += PARTITION_BYTES) {
      partitions.push({ target: undefined, owner: undefined });
      places.push([getU16(row, at), getU16(row, at + 2)]);
    }
  }
  const members: Member[] = [];
  for (let left = getU16(row, 6); left > 0; left--) {
    const number = getU64(row, at);
    const length = row[at + 8] as number;
    const client = row.subarray(at + 9, at + 9 + length);
    at += 9 + length;
    const subscribed: SharedTopic[] = [];
    const member = {
      number,
      client,
      sessionTimeoutMs: getU32(row, at),
      rebalanceTimeoutMs: getU32(row, at + 4),
      generation: getU32(row, at + 8),
      topics: subscribed,
    };
    const count = getU16(row, at + 12);
    at += 14;
    for (const end = at + 2 * count; at < end; at += 2) {
      subscribed.push(topics[getU16(row, at)] as SharedTopic);
    }
    members.push(member);
  }
  let next = 0;
  for (const { partitions } of topics) {
    for (const partition of partitions) {
      const [target, owner] = places[next++] as [number, number];
      partition.target = members[target - 1];
      partition.owner = members[owner - 1];
    }
  }
  return { name, generation: getU32(row, 0), members, topics };
}

/** Where something of a group is in it: what has no place has no business in the group. */
function known(place: number | undefined): number {
  if (place === undefined) throw new Error("A group has a member or a topic that is not in it");
  return place;
}

/** Writes bytes after their length, and returns where the next one goes. */
function putShort(row: Uint8Array, at: number, bytes: Uint8Array): number {
  row[at] = bytes.length;
  row.set(bytes, at + 1);
  return at + 1 + bytes.length;
}

function putU16(row: Uint8Array, at: number, value: number): void {
  row[at] = value >>> 8;
  row[at + 1] = value;
}

function getU16(row: Uint8Array, at: number): number {
  return (row[at] as number) << 8 | (row[at + 1] as number);
}
