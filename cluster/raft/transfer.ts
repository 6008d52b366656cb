/**
 * Handing the leadership over.
 *
 * @module
 */

import { send } from "./gate.ts";
import { replicate } from "./replication.ts";
import type { Peer } from "./state/peer.ts";
import { type Leader, leaderOf, type Raft } from "./state/raft.ts";

/** Stops taking proposals, brings the target level and asks it to campaign; or says why not. */
export function transfer(raft: Raft, target: string | undefined): void {
  const { role, out } = raft;
  if (role.name !== "leader") {
    out.refused = { reason: "not-leader", leader: leaderOf(raft) };
    return;
  }
  if (role.transfer !== undefined) {
    out.refused = { reason: "transfer-in-progress" };
    return;
  }
  const chosen = target ?? mostAdvanced(raft, role);
  if (chosen === undefined || chosen === raft.id || !raft.members.isVoter(chosen)) {
    out.refused = { reason: "no-target" };
    return;
  }
  const deadline = raft.now + raft.options.electionTimeoutMs;
  role.transfer = { target: chosen, deadline, asked: false };
  const peer = role.peers.get(chosen);
  if (peer !== undefined) replicate(raft, peer);
  handOver(raft, role);
}

/** Asks the target to campaign, once it has everything. */
export function handOver(raft: Raft, leader: Leader): void {
  const { transfer } = leader;
  if (transfer === undefined || transfer.asked) return;
  if (leader.peers.get(transfer.target)?.match !== raft.log.lastIndex) return;
  transfer.asked = true;
  leader.hasLeases = false;
  send(raft, transfer.target, { type: "timeout-now", term: raft.term });
}

/** Goes on leading when the target has not taken over in time. */
export function tickTransfer(raft: Raft, leader: Leader): void {
  if (leader.transfer === undefined || raft.now < leader.transfer.deadline) return;
  leader.transfer = undefined;
  raft.out.transferFailed = true;
}

/** Who has most, of those that were heard not long ago if there are any. */
function mostAdvanced({ members, id, now, options }: Raft, leader: Leader): string | undefined {
  const isHeard = ({ heardAt }: Peer): boolean =>
    heardAt !== undefined && now - heardAt < options.electionTimeoutMs;
  return members.voters
    .flatMap((voter) => voter === id ? [] : leader.peers.get(voter) ?? [])
    .sort((a, b) => Number(isHeard(b)) - Number(isHeard(a)) || b.match - a.match)[0]?.id;
}
