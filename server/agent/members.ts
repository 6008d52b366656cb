/**
 * Members as programs ask for them.
 *
 * @module
 */

import type { Member } from "../../cluster/serf/mod.ts";
import { requireOptions } from "../../protocol/arguments.ts";
import { memberFilter } from "../rpc/member_list.ts";
import { type MemberFilter, REQUESTS } from "./requests.ts";

/**
 * Those of `members` that match all of `filter`; without one, all.
 *
 * @throws {PatternError} when a pattern is none, or all together are too large.
 */
export function filteredMembers(members: Member[], filter: MemberFilter | undefined): Member[] {
  requireOptions("members", filter, REQUESTS.members);
  if (filter === undefined) return members;
  const { tags = null, status = "", name = "" } = filter;
  const matches = memberFilter({ Tags: tags, Status: status, Name: name });
  return matches === undefined ? members : members.filter(matches);
}
