/**
 * What commands and questions about groups have in common.
 *
 * @module
 */

import { type Reader, type Writer, written } from "../../../../protocol/msgpack/mod.ts";
import type { Context } from "../../module.ts";
import type { Success } from "../../result.ts";
import { readBytes, readUint } from "../../strict.ts";
import type { Transaction } from "../../store/store.ts";
import { MAX_GROUP_PARTITIONS } from "../limits.ts";
import { lastCommit, putLastCommit } from "../rows/offsets.ts";
import { getTotals, putTotals, type Totals } from "../rows/totals.ts";
import type { Group } from "./group.ts";
import { putGroup } from "./row.ts";

/** The format that all of them came with. */
export const VERSION = 1;

const MAX_U32 = 0xffff_ffff;
const MAX = Number.MAX_SAFE_INTEGER;

/** Some partitions of a topic. */
export interface TopicPartitions {
  readonly topic: Uint8Array;
  readonly partitions: readonly number[];
}

/** A member of a group as it names itself. */
export interface MemberName {
  readonly group: Uint8Array;
  readonly member: number;
  /** That of its last answer. */
  readonly generation: number;
}

/** Writes who it is. */
export function writeMember(writer: Writer, { group, member, generation }: MemberName): void {
  writer.bytes(group);
  writer.uint(member);
  writer.uint(generation);
}

/** Reads what {@linkcode writeMember} writes. */
export function readMember(reader: Reader): MemberName {
  return {
    group: readBytes(reader),
    member: readUint(reader, 0, MAX),
    generation: readUint(reader, 0, MAX_U32),
  };
}

/** Writes partitions of topics. */
export function writePartitions(writer: Writer, topics: readonly TopicPartitions[]): void {
  writer.uint(topics.length);
  for (const { topic, partitions } of topics) {
    writer.bytes(topic);
    writer.uint(partitions.length);
    for (const partition of partitions) writer.uint(partition);
  }
}

/** Reads what {@linkcode writePartitions} writes: at most {@linkcode MAX_GROUP_PARTITIONS} of at most as many topics. */
export function readPartitions(reader: Reader): TopicPartitions[] {
  const topics: TopicPartitions[] = [];
  let room = MAX_GROUP_PARTITIONS;
  for (let left = readUint(reader, 0, MAX_GROUP_PARTITIONS); left > 0; left--) {
    const topic = readBytes(reader);
    const count = readUint(reader, 0, room);
    room -= count;
    const partitions: number[] = [];
    for (let i = 0; i < count; i++) partitions.push(readUint(reader, 0, MAX_U32));
    topics.push({ topic, partitions });
  }
  return topics;
}

/** Keeps a group that has changed. The offsets of one that has lost its last member live as long from now on as after a commit. */
export function keep(
  state: Transaction,
  context: Context,
  group: Group,
  totals: Totals = getTotals(state),
): void {
  putGroup(state, totals, group);
  putTotals(state, totals);
  const { name, members } = group;
  if (members.length === 0 && lastCommit(state, name) !== undefined) {
    putLastCommit(state, name, context.time);
  }
  context.groups?.push({ kind: "changed", group: name });
}

/** A result of these values. */
export function resultOf(write: (writer: Writer) => void): Success {
  return { ok: true, rev: 0, body: written("rpc", write) };
}

/** A result without any. */
export const DONE: Success = { ok: true, rev: 0, body: new Uint8Array() };
