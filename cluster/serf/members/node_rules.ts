/**
 * What memberlist's news about nodes does to the member table (docs/spec/serf.md 6.5 to 6.7).
 *
 * @module
 */

import type { MemberNode } from "../../memberlist/core/node.ts";
import type { Core } from "../core/core.ts";
import type { MemberRecord } from "../core/member_table.ts";
import { keep } from "./intent_rules.ts";
import { erase, tell } from "./tell.ts";

/**
 * Most members kept that failed or left; the one that has been gone longest makes room. As many as memberlist
 * remembers nodes; Serf itself has no bound.
 */
const MAX_GONE = 65_536;

/** A node is alive: it is new, or back. */
export function nodeJoined(core: Core, node: MemberNode): void {
  let member = core.members.get(node.name);
  if (member === undefined) {
    const leaving = core.intents.find(node.name, "leave");
    const joining = core.intents.find(node.name, "join");
    const status = leaving === undefined ? "alive" : "leaving";
    member = core.members.add(node, status, leaving ?? joining ?? 0n);
  } else {
    const goneMs = core.timers.now() - (member.leftAt ?? -Infinity);
    if (member.status === "failed" && goneMs < core.config.flapTimeoutMs) {
      core.tally.count("memberFlap");
    }
    keep(member);
    member.leftAt = undefined;
    core.members.setNode(member, node);
    core.members.setStatus(member, "alive");
  }
  core.lost.delete(node.name);
  core.tally.count("memberJoin");
  core.log.info(`EventMemberJoin: ${node.name} ${node.host}`);
  tell(core, "member-join", member);
}

/** A node is gone. Whether it failed or left, an intent has told before. */
export function nodeLeft(core: Core, node: MemberNode): void {
  const member = core.members.get(node.name);
  if (member === undefined) return;
  const place = `${node.name} ${member.node.host}`;
  if (member.status === "leaving") {
    member.leftAt = core.timers.now();
    core.members.setStatus(member, "left");
    if (member.pruneTimer === undefined) {
      core.tally.count("memberLeft");
      core.log.info(`EventMemberLeave: ${place}`);
      tell(core, "member-leave", member);
    }
  } else if (member.status === "alive") {
    member.leftAt = core.timers.now();
    core.members.setStatus(member, "failed");
    core.tally.count("memberFailed");
    core.log.info(`EventMemberFailed: ${place}`);
    tell(core, "member-failed", member);
  } else {
    core.log.warn(`Node '${node.name}' is gone again, it has already ${member.status}`);
  }
  makeRoom(core);
}

/** A node that never answered had to make room for another. */
export function nodeForgotten(core: Core, name: string): void {
  const member = core.members.get(name);
  if (member === undefined) return;
  core.noise.write("info", "forgotten nodes", `EventMemberReap: ${name}, which never answered`);
  erase(core, member);
}

/** The meta of a node changed. */
export function nodeUpdated(core: Core, node: MemberNode): void {
  const member = core.members.get(node.name);
  if (member === undefined) return;
  core.members.setNode(member, node);
  core.tally.count("memberUpdate");
  core.log.info(`EventMemberUpdate: ${node.name}`);
  tell(core, "member-update", member);
}

function makeRoom(core: Core): void {
  const { failed, left } = core.members;
  if (failed.size + left.size <= MAX_GONE) return;
  const [firstFailed] = failed.values();
  const [firstLeft] = left.values();
  const oldest = goneSince(firstFailed) <= goneSince(firstLeft) ? firstFailed : firstLeft;
  if (oldest === undefined) return;
  core.log.info(`EventMemberReap: ${oldest.name}`);
  erase(core, oldest);
}

function goneSince(member: MemberRecord | undefined): number {
  return member?.leftAt ?? Infinity;
}
