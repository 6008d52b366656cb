/**
 * JOIN: makes a member of a group, or changes what one subscribes to.
 *
 * @module
 */

import { Reader } from "../../../../protocol/msgpack/mod.ts";
import { decodeUtf8 } from "../../../../protocol/text.ts";
import { type Command, encodeCall } from "../../module.ts";
import type { Failure } from "../../result.ts";
import { readBytes, readUint } from "../../strict.ts";
import {
  BAD_CLIENT,
  BAD_GROUP,
  BAD_TIMEOUT,
  BAD_TOPIC,
  MAX_ALL_GROUP_BYTES,
  MAX_ALL_MEMBERS,
  MAX_CLIENT_BYTES,
  MAX_GROUP_MEMBERS,
  MAX_GROUP_TOPICS,
  MEMBER_TIMEOUT_MS,
  QUOTA_EXCEEDED,
  UNKNOWN_MEMBER,
} from "../limits.ts";
import { isGroup, isName, isText } from "../names.ts";
import { TOPICS } from "../rows/keys.ts";
import { getTotals } from "../rows/totals.ts";
import { keep, resultOf, VERSION } from "./calls.ts";
import {
  type Group,
  type Member,
  memberOf,
  newGroup,
  NO_TOPIC,
  type SharedTopic,
} from "./group.ts";
import { getGroup, rowBytes } from "./row.ts";
import { settle } from "./targets.ts";

/** Number of the command. */
export const JOIN = 9;

/** Who is no member yet. */
export const NEW_MEMBER = 0;

const MAX_U32 = 0xffff_ffff;
const MAX = Number.MAX_SAFE_INTEGER;

/** Who joins, and for what. */
export interface Join {
  readonly group: Uint8Array;
  /** {@linkcode NEW_MEMBER}, or who it is. */
  readonly member: number;
  /** What people know it by, at most 249 bytes. */
  readonly client: Uint8Array;
  /** 1,000 to 3,600,000; as the other one. */
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** What it subscribes to: 1 to 256, each once. They need not be there. */
  readonly topics: readonly Uint8Array[];
}

/** A member, and what tells its last answer from others. */
export interface Joined {
  readonly member: number;
  readonly generation: number;
}

/** The command. Its result is {@linkcode Joined}. */
export function joinCommand(join: Join): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, JOIN, (writer) => {
    writer.bytes(join.group);
    writer.uint(join.member);
    writer.bytes(join.client);
    writer.uint(join.sessionTimeoutMs);
    writer.uint(join.rebalanceTimeoutMs);
    writer.uint(join.topics.length);
    for (const topic of join.topics) writer.bytes(topic);
  });
}

/**
 * Who has joined, by the body of the result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeJoined(body: Uint8Array): Joined {
  const reader = new Reader(body);
  return { member: readUint(reader, 0, MAX), generation: readUint(reader, 0, MAX_U32) };
}

/** The command. */
export const join: Command<Join> = {
  since: VERSION,
  read(reader) {
    const group = readBytes(reader);
    const member = readUint(reader, 0, MAX);
    const client = readBytes(reader);
    const sessionTimeoutMs = readUint(reader, 0, MAX_U32);
    const rebalanceTimeoutMs = readUint(reader, 0, MAX_U32);
    const topics: Uint8Array[] = [];
    for (let left = readUint(reader, 0, MAX_GROUP_TOPICS); left > 0; left--) {
      topics.push(readBytes(reader));
    }
    return { group, member, client, sessionTimeoutMs, rebalanceTimeoutMs, topics };
  },
  apply(state, context, args) {
    const wrong = check(args);
    if (wrong !== undefined) return wrong;
    const totals = getTotals(state);
    const group = getGroup(state, args.group) ?? newGroup(args.group);
    const found = memberOf(group, args.member);
    if (found === undefined) {
      if (args.member !== NEW_MEMBER) return UNKNOWN_MEMBER;
      const isFull = group.members.length >= MAX_GROUP_MEMBERS;
      if (isFull || totals.members >= MAX_ALL_MEMBERS) return QUOTA_EXCEEDED;
    }
    const before = found === undefined ? 0 : rowBytes(group);
    const member = found ?? newMember(++totals.lastMember);
    if (found === undefined) group.members.push(member);
    const { client, sessionTimeoutMs, rebalanceTimeoutMs } = args;
    Object.assign(member, { client, sessionTimeoutMs, rebalanceTimeoutMs });
    const names = args.topics.map(decodeUtf8).sort();
    if (!isSame(member.topics, names)) {
      const added = subscribe(group, member, names);
      const isLeftOut = settle(state, group).some((topic) => added.includes(topic));
      if (isLeftOut || group.topics.length > MAX_GROUP_TOPICS) return QUOTA_EXCEEDED;
      const more = rowBytes(group) - before;
      if (more > 0 && totals.groupBytes + more > MAX_ALL_GROUP_BYTES) return QUOTA_EXCEEDED;
      member.generation = group.generation;
    }
    keep(state, context, group, totals);
    context.groups?.push({ kind: "heard", member: member.number });
    return resultOf((writer) => {
      writer.uint(member.number);
      writer.uint(member.generation);
    });
  },
};

function check({ group, client, topics, ...times }: Join): Failure | undefined {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = times;
  if (!isGroup(group)) return BAD_GROUP;
  if (client.length > MAX_CLIENT_BYTES || !isText(client)) return BAD_CLIENT;
  if (![sessionTimeoutMs, rebalanceTimeoutMs].every(isTimeout)) return BAD_TIMEOUT;
  const isEachOnce = new Set(topics.map(decodeUtf8)).size === topics.length;
  return topics.length > 0 && isEachOnce && topics.every(isName) ? undefined : BAD_TOPIC;
}

function isTimeout(ms: number): boolean {
  return ms >= MEMBER_TIMEOUT_MS.least && ms <= MEMBER_TIMEOUT_MS.most;
}

function newMember(number: number): Member {
  const nothing = { client: new Uint8Array(), sessionTimeoutMs: 0, rebalanceTimeoutMs: 0 };
  return { number, ...nothing, generation: 0, topics: [] };
}

function isSame(topics: readonly SharedTopic[], names: readonly string[]): boolean {
  return topics.length === names.length && topics.every(({ name }, i) => name === names[i]);
}

/** Has a member subscribe to these topics and no others. Returns those that the group did not know. */
function subscribe(group: Group, member: Member, names: readonly string[]): SharedTopic[] {
  const known = new Map(group.topics.map((topic) => [topic.name, topic]));
  const added: SharedTopic[] = [];
  member.topics = names.map((name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const topic = { name, id: NO_TOPIC, partitions: [] };
    added.push(topic);
    return topic;
  });
  group.topics = [...group.topics, ...added].sort((a, b) => a.name < b.name ? -1 : 1);
  return added;
}
