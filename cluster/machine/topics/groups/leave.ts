/**
 * LEAVE and REMOVE: members that are no more. What they owned is free.
 *
 * @module
 */

import { Reader } from "../../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall } from "../../module.ts";
import { readBytes, readUint } from "../../strict.ts";
import { MAX_GROUP_MEMBERS, UNKNOWN_MEMBER } from "../limits.ts";
import { TOPICS } from "../rows/keys.ts";
import { DONE, keep, resultOf, VERSION } from "./calls.ts";
import { memberOf } from "./group.ts";
import { getGroup } from "./row.ts";
import { takeOut } from "./targets.ts";

/** Numbers of the commands. */
export const LEAVE = 12;
export const REMOVE = 13;

const MAX_U32 = 0xffff_ffff;
const MAX = Number.MAX_SAFE_INTEGER;

/** A member, and its generation when nothing had been heard of it for too long: with another one it is not removed. */
export interface Silent {
  readonly member: number;
  readonly generation: number;
}

/** The command by which a member leaves its group. */
export function leaveCommand(group: Uint8Array, member: number): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, LEAVE, (writer) => {
    writer.bytes(group);
    writer.uint(member);
  });
}

/** The command that removes members of a group. Its result is how many. */
export function removeMembersCommand(
  group: Uint8Array,
  silent: readonly Silent[],
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, REMOVE, (writer) => {
    writer.bytes(group);
    writer.uint(silent.length);
    for (const { member, generation } of silent) {
      writer.uint(member);
      writer.uint(generation);
    }
  });
}

/**
 * How many were removed, by the body of the result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeRemoved(body: Uint8Array): number {
  return readUint(new Reader(body), 0, MAX_GROUP_MEMBERS);
}

/** The command. */
export const leave: Command<{ readonly group: Uint8Array; readonly member: number }> = {
  since: VERSION,
  read: (reader) => ({ group: readBytes(reader), member: readUint(reader, 0, MAX) }),
  apply(state, context, { group: name, member: number }) {
    const group = getGroup(state, name);
    const member = memberOf(group, number);
    if (group === undefined || member === undefined) return UNKNOWN_MEMBER;
    takeOut(state, group, new Set([member]));
    keep(state, context, group);
    return DONE;
  },
};

/** The command. */
export const remove: Command<{ readonly group: Uint8Array; readonly silent: readonly Silent[] }> = {
  since: VERSION,
  read(reader) {
    const group = readBytes(reader);
    const silent: Silent[] = [];
    for (let left = readUint(reader, 0, MAX_GROUP_MEMBERS); left > 0; left--) {
      silent.push({
        member: readUint(reader, 0, MAX),
        generation: readUint(reader, 0, MAX_U32),
      });
    }
    return { group, silent };
  },
  apply(state, context, { group: name, silent }) {
    const group = getGroup(state, name);
    const seen = new Map(silent.map(({ member, generation }) => [member, generation]));
    const gone = group?.members.filter((one) => seen.get(one.number) === one.generation) ?? [];
    if (group !== undefined && gone.length > 0) {
      takeOut(state, group, new Set(gone));
      keep(state, context, group);
    }
    return resultOf((writer) => writer.uint(gone.length));
  },
};
