/**
 * Changing the members, one at a time.
 *
 * @module
 */

import { appendConfiguration } from "./leader.ts";
import { changed, type ConfigurationChange } from "./membership/configuration.ts";
import { keeps, type Leader, leaderOf, type Raft } from "./state/raft.ts";

/**
 * Appends the configuration after a change, or says why not.
 *
 * Proof obligations: the majorities of two configurations that follow each other have a server in common only while they
 * differ by one ("single-change"); and a leader that has committed nothing in its term may not know the newest configuration
 * of all ("own-term-change").
 */
export function change(
  raft: Raft,
  wanted: ConfigurationChange,
  expectedIndex: number | undefined,
  time: number,
): void {
  const { role, members, out } = raft;
  if (role.name !== "leader") {
    out.refused = { reason: "not-leader", leader: leaderOf(raft) };
  } else if (role.transfer !== undefined) {
    out.refused = { reason: "transfer-in-progress" };
  } else if (members.index > raft.commit && keeps(raft, "single-change")) {
    out.refused = { reason: "change-in-progress" };
  } else if (raft.commit < role.firstIndex && keeps(raft, "own-term-change")) {
    out.refused = { reason: "not-ready" };
  } else if (expectedIndex !== undefined && expectedIndex !== members.index) {
    out.refused = { reason: "configuration-changed", index: members.index };
  } else {
    const next = changed(members.configuration, wanted);
    if (typeof next === "string") out.refused = { reason: "invalid-change", problem: next };
    else appendConfiguration(raft, role, next, time);
  }
}

/** Makes a voter of a staging member that has kept up for long enough. */
export function tickStaging(raft: Raft, leader: Leader): void {
  const { members, options, log, now } = raft;
  for (const { id, role } of members.configuration) {
    const peer = leader.peers.get(id);
    if (role !== "staging" || peer === undefined) continue;
    const keepsUp = peer.heardAt !== undefined && now - peer.heardAt <= options.electionTimeoutMs &&
      peer.match > 0 && log.lastIndex - peer.match <= options.stagingGap;
    peer.keepsUpSince = keepsUp ? peer.keepsUpSince ?? now : undefined;
    if (peer.keepsUpSince === undefined || now - peer.keepsUpSince < options.stagingMs) continue;
    if (members.index > raft.commit || raft.commit < leader.firstIndex || leader.transfer) return;
    const next = changed(members.configuration, { kind: "add", id, role: "voter" });
    if (typeof next !== "string") appendConfiguration(raft, leader, next, 0);
    return;
  }
}
