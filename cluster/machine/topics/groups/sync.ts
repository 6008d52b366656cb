/**
 * SYNC: a member says what it reads, and is told what it is to read (`group.ts` says why that is safe).
 *
 * @module
 */

import { Reader } from "../../../../protocol/msgpack/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../../../protocol/text.ts";
import { type Command, encodeCall } from "../../module.ts";
import { readUint } from "../../strict.ts";
import { UNKNOWN_MEMBER } from "../limits.ts";
import { TOPICS } from "../rows/keys.ts";
import {
  keep,
  type MemberName,
  readMember,
  readPartitions,
  resultOf,
  type TopicPartitions,
  VERSION,
  writeMember,
  writePartitions,
} from "./calls.ts";
import { type Group, type Member, memberOf, nextGeneration } from "./group.ts";
import { getGroup } from "./row.ts";
import { haveChanged, settle } from "./targets.ts";

/** Number of the command. */
export const SYNC = 10;

const MAX_U32 = 0xffff_ffff;

/** What a member says. */
export interface Sync extends MemberName {
  /** What it reads, or has read and is still to commit: at most 10,000 partitions. */
  readonly held: readonly TopicPartitions[];
}

/** What it is told. */
export interface Synced {
  readonly generation: number;
  /** All that it is to read, and may: what is not in here it stops to read. */
  readonly assigned: readonly TopicPartitions[];
  /** Whether it is to read more, which others still own. */
  readonly more: boolean;
}

/** The command. Its result is {@linkcode Synced}. */
export function syncCommand(sync: Sync): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, SYNC, (writer) => {
    writeMember(writer, sync);
    writePartitions(writer, sync.held);
  });
}

/**
 * What a member was told, by the body of the result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeSynced(body: Uint8Array): Synced {
  const reader = new Reader(body);
  return {
    generation: readUint(reader, 1, MAX_U32),
    more: readUint(reader, 0, 1) === 1,
    assigned: readPartitions(reader),
  };
}

/** The command. */
export const sync: Command<Sync> = {
  since: VERSION,
  read: (reader) => ({ ...readMember(reader), held: readPartitions(reader) }),
  apply(state, context, { group: name, member: number, generation, held }) {
    const group = getGroup(state, name);
    const member = memberOf(group, number);
    if (group === undefined || member === undefined) return UNKNOWN_MEMBER;
    context.groups?.push({ kind: "heard", member: number });
    const isOther = haveChanged(state, member.topics);
    if (isOther) settle(state, group);
    const isFreed = generation === member.generation && free(group, member, held);
    const { isTaken, assigned, more } = take(group, member);
    if (isTaken) member.generation = nextGeneration(group);
    if (isOther || isFreed || isTaken) keep(state, context, group);
    return resultOf((writer) => {
      writer.uint(member.generation);
      writer.uint(more ? 1 : 0);
      writePartitions(writer, assigned);
    });
  },
};

/** Takes from a member what it owns and has not said; whether that is anything. */
function free(group: Group, member: Member, held: readonly TopicPartitions[]): boolean {
  let isFreed = false;
  const said = new Map(held.map(({ topic, partitions }) => {
    return [decodeUtf8(topic), new Set(partitions)];
  }));
  for (const { name, partitions } of group.topics) {
    const numbers = said.get(name);
    partitions.forEach((partition, number) => {
      if (partition.owner !== member || numbers?.has(number)) return;
      partition.owner = undefined;
      isFreed = true;
    });
  }
  return isFreed;
}

/** Gives a member what it is to read and nobody owns. */
function take(group: Group, member: Member): Omit<Synced, "generation"> & { isTaken: boolean } {
  const assigned: TopicPartitions[] = [];
  let [isTaken, more] = [false, false];
  for (const topic of group.topics) {
    const numbers: number[] = [];
    topic.partitions.forEach((partition, number) => {
      if (partition.target !== member) return;
      if (partition.owner === undefined) {
        partition.owner = member;
        isTaken = true;
      }
      if (partition.owner === member) numbers.push(number);
      else more = true;
    });
    if (numbers.length > 0) assigned.push({ topic: encodeUtf8(topic.name), partitions: numbers });
  }
  return { isTaken, assigned, more };
}
