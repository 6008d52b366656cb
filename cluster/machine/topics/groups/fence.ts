/**
 * Who may commit what for a group: members what they own, and others only while there are none.
 *
 * @module
 */

import { decodeUtf8 } from "../../../../protocol/text.ts";
import type { Failure } from "../../result.ts";
import type { StoreReader } from "../../store/store.ts";
import { INVALID_GENERATION, UNKNOWN_MEMBER } from "../limits.ts";
import { type Member, memberOf, type SharedPartition } from "./group.ts";
import { getGroup, hasMembers } from "./row.ts";

/** Who commits. */
export interface Committer {
  /** Number of the member; 0: none. */
  readonly member: number;
  /** That of its last answer; 0 where it is none. */
  readonly generation: number;
}

/** Who commits without being a member. */
export const NO_MEMBER: Committer = { member: 0, generation: 0 };

/** Whether a partition of a topic may be committed. */
export type Fence = (topic: Uint8Array, partition: number) => boolean;

/** What one may commit for a group, or why it may not. */
export function fenceOf(
  state: StoreReader,
  name: Uint8Array,
  { member: number, generation }: Committer,
): Fence | Failure {
  if (number === NO_MEMBER.member) {
    return generation !== 0 || hasMembers(state, name) ? UNKNOWN_MEMBER : () => true;
  }
  const group = getGroup(state, name);
  const member = memberOf(group, number);
  if (group === undefined || member === undefined) return UNKNOWN_MEMBER;
  if (member.generation !== generation) return INVALID_GENERATION;
  const topics = new Map(group.topics.map(({ name, partitions }) => [name, partitions]));
  return (topic, partition) => isOwner(member, topics.get(decodeUtf8(topic))?.[partition]);
}

function isOwner(member: Member, partition: SharedPartition | undefined): boolean {
  return partition?.owner === member;
}
