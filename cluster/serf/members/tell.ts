/**
 * Telling the application what happened to a member.
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import type { MemberRecord } from "../core/member_table.ts";
import type { MemberEvent } from "../model/event.ts";

/** Emits an event about one member as it is now. */
export function tell(core: Core, type: MemberEvent["type"], member: MemberRecord): void {
  core.emit({ type, members: [core.members.view(member)] });
}

/** Forgets a member and tells that. */
export function erase(core: Core, member: MemberRecord): void {
  core.members.erase(member);
  core.coordinates?.forget(member.name);
  tell(core, "member-reap", member);
}
