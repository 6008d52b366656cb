/**
 * HEARTBEAT: whether a member has to sync. As a question it changes nothing; as a command it does not either, but who leads hears
 * of the member by it.
 *
 * @module
 */

import { type Command, encodeCall, type Question } from "../../module.ts";
import type { Result } from "../../result.ts";
import type { StoreReader } from "../../store/store.ts";
import { REBALANCING, UNKNOWN_MEMBER } from "../limits.ts";
import { TOPICS } from "../rows/keys.ts";
import { DONE, type MemberName, readMember, VERSION, writeMember } from "./calls.ts";
import { type Group, type Member, memberOf } from "./group.ts";
import { getGroup } from "./row.ts";
import { haveChanged } from "./targets.ts";

/** Number of the command, and of the question. */
export const HEARTBEAT = 11;

/** The command or the question. There is nothing in the answer: it fails when the member is to sync, or is none. */
export function heartbeatCall(member: MemberName): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, HEARTBEAT, (writer) => writeMember(writer, member));
}

/** The question. */
export const askedHeartbeat: Question<MemberName> = {
  since: VERSION,
  read: readMember,
  answer,
};

/** The command. */
export const heartbeat: Command<MemberName> = {
  since: VERSION,
  read: readMember,
  apply(state, context, args) {
    const answered = answer(state, args);
    if (answered !== UNKNOWN_MEMBER) context.groups?.push({ kind: "heard", member: args.member });
    return answered;
  },
};

function answer(
  state: StoreReader,
  { group: name, member: number, generation }: MemberName,
): Result {
  const group = getGroup(state, name);
  const member = memberOf(group, number);
  if (group === undefined || member === undefined) return UNKNOWN_MEMBER;
  // Of another generation than its own an answer did not come to it.
  const hasNews = generation !== member.generation || hasSomethingToDo(group, member) ||
    haveChanged(state, member.topics);
  return hasNews ? REBALANCING : DONE;
}

/** Whether a member owns what another one is to read, or is to read what nobody owns. */
function hasSomethingToDo({ topics }: Group, member: Member): boolean {
  return topics.some(({ partitions }) => {
    return partitions.some(({ target, owner }) => {
      return target === member ? owner === undefined : owner === member;
    });
  });
}
