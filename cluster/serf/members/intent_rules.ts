/**
 * What a join or leave intent does to the member table (docs/spec/serf.md 6 and 7).
 *
 * Each function returns whether the intent was news, that is whether its bytes are to be gossiped on.
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import type { MemberRecord } from "../core/member_table.ts";
import { encodeMessage, JoinIntent, type LeaveIntent, MessageType } from "../model/messages.ts";
import { erase, tell } from "./tell.ts";

/** Takes in that a node leaves, or is made to leave. */
export function handleLeaveIntent(core: Core, intent: LeaveIntent): boolean {
  const { LTime: ltime, Node: name } = intent;
  core.memberClock.witness(ltime);
  const member = core.members.get(name);
  if (member === undefined) return core.intents.upsert(name, "leave", ltime, core.timers.now());
  if (ltime <= member.statusTime) return false;
  if (name === core.name && core.state === "alive") {
    core.log.debug("Refuting an older leave intent");
    announceJoin(core, core.memberClock.time());
    return false;
  }
  // Whatever the status: a time that is not remembered would let two nodes gossip the intent to and fro for ever.
  member.statusTime = ltime;
  if (member.status === "alive") core.members.setStatus(member, "leaving");
  if (member.status === "failed") {
    core.members.setStatus(member, "left");
    core.log.info(`EventMemberLeave (forced): ${name} ${member.node.host}`);
    core.tally.count("memberLeft");
    tell(core, "member-leave", member);
  }
  if (intent.Prune && name !== core.name) prune(core, member);
  return true;
}

/** Takes in that a node joins, or takes back that it leaves. */
export function handleJoinIntent(core: Core, intent: JoinIntent): boolean {
  const { LTime: ltime, Node: name } = intent;
  core.memberClock.witness(ltime);
  const member = core.members.get(name);
  if (member === undefined) return core.intents.upsert(name, "join", ltime, core.timers.now());
  if (ltime <= member.statusTime) return false;
  member.statusTime = ltime;
  if (member.status === "leaving") {
    keep(member);
    core.members.setStatus(member, "alive");
  }
  return true;
}

/** Gossips that the own node joins at `ltime`. */
export function announceJoin(core: Core, ltime: bigint): void {
  const intent: JoinIntent = { LTime: ltime, Node: core.name };
  core.memberClock.witness(ltime);
  handleJoinIntent(core, intent);
  core.broadcasts.enqueue("intents", encodeMessage(MessageType.join, JoinIntent, intent));
}

/** Calls off the erasure of a member that turned out to be alive. */
export function keep(member: MemberRecord): void {
  member.pruneTimer?.cancel();
  member.pruneTimer = undefined;
}

/**
 * Erases a member; one that is leaving only after the time in which it may still take that back. Serf 0.9.4
 * holds up all news of members for that time, so nothing that happens to the member meanwhile is told
 * (docs/spec/serf.md 7.5).
 */
function prune(core: Core, member: MemberRecord): void {
  const finish = () => {
    member.pruneTimer = undefined;
    core.log.info(`EventMemberReap (forced): ${member.name} ${member.node.host}`);
    erase(core, member);
  };
  if (member.status !== "leaving") return finish();
  const { broadcastTimeoutMs, leavePropagateDelayMs } = core.config;
  member.pruneTimer ??= core.timers.set(broadcastTimeoutMs + leavePropagateDelayMs, finish);
}
