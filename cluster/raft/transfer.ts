/**
 * Handing the leadership over.
 *
 * @module
 */

import { send } from "./gate.ts";
import { replicate } from "./replication.ts";
import { keeps, type Leader, leaderOf, type Raft } from "./state/raft.ts";

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
  send(raft, transfer.target, { type: "timeout-now", term: raft.term });
}

/** Goes on leading when the target has not taken over in time. */
export function tickTransfer(raft: Raft, leader: Leader): void {
  if (leader.transfer === undefined || raft.now < leader.transfer.deadline) return;
  leader.transfer = undefined;
  raft.out.transferFailed = true;
  // The target may still campaign, and others vote for it: what was confirmed before is no lease any more.
  if (keeps(raft, "lease-ends")) {
    leader.confirmedAt = Math.min(
      leader.confirmedAt,
      raft.now - raft.options.electionTimeoutMs * raft.options.leaseFraction,
    );
  }
}

function mostAdvanced({ members, id }: Raft, leader: Leader): string | undefined {
  return members.voters.filter((voter) => voter !== id).sort((a, b) =>
    (leader.peers.get(b)?.match ?? 0) - (leader.peers.get(a)?.match ?? 0)
  )[0];
}
