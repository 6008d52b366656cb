/**
 * What a leader learns from the answers of its peers.
 *
 * @module
 */

import { advanceCommit } from "./commit.ts";
import { confirmRounds } from "./reads.ts";
import { replicate } from "./replication.ts";
import type { AppendReply } from "./state/message.ts";
import { land, type Peer, pipeline, probe } from "./state/peer.ts";
import type { Leader, Raft } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";
import { handOver } from "./transfer.ts";

/** Takes the answer to an append or a heartbeat. */
export function takeAppendReply(raft: Raft, from: string, reply: AppendReply): void {
  if (reply.term > raft.term) return stepDown(raft, reply.term, undefined);
  const { role } = raft;
  if (role.name !== "leader" || reply.term < raft.term) return;
  const peer = role.peers.get(from);
  if (peer === undefined) return;
  peer.heardAt = raft.now;
  peer.lastIndex = reply.lastIndex;
  if (reply.round > role.round) {
    throw new RangeError(`Peer ${from} answers round ${reply.round}, the last is ${role.round}`);
  }
  peer.round = Math.max(peer.round, reply.round);
  if (reply.success) succeed(raft, role, peer, reply.matchIndex);
  else backOff(raft, peer, reply);
  if (raft.role !== role) return;
  confirmRounds(raft, role);
  replicate(raft, peer);
  handOver(raft, role);
}

function succeed(raft: Raft, leader: Leader, peer: Peer, matchIndex: number): void {
  if (matchIndex > raft.log.lastIndex) {
    throw new RangeError(
      `Peer ${peer.id} has ${matchIndex} of this leader's ${raft.log.lastIndex} entries`,
    );
  }
  if (matchIndex > peer.match) {
    peer.match = matchIndex;
    peer.matchRound = leader.round;
    land(peer, matchIndex);
    advanceCommit(raft, leader);
  }
  // A heartbeat shows nothing of what a probe asked for.
  if (peer.state.name === "probe" && peer.match >= peer.next - 1) pipeline(peer);
  peer.next = Math.max(peer.next, peer.match + 1);
}

/**
 * Whether a peer has lost entries that it had on its disk: what it answers was asked after they were known to be there. Its directory
 * may have been put back from an older copy. What it has promised is in doubt then, but the sooner it has them again the better.
 */
function hasLost({ match, matchRound }: Peer, { lastIndex, round }: AppendReply): boolean {
  return lastIndex < match && round > matchRound;
}

/** The peer's log differs at the index before those sent; goes back by whole terms, never before what it has for sure. */
function backOff({ log }: Raft, peer: Peer, reply: AppendReply): void {
  const { state } = peer;
  if (state.name === "snapshot") return;
  if (hasLost(peer, reply)) {
    peer.match = 0;
    return probe(peer, reply.lastIndex + 1);
  }
  if (reply.prevIndex <= peer.match) return;
  // An answer to another question than the last one says nothing of use.
  if (state.name === "probe" && reply.prevIndex !== peer.next - 1) return;
  const { conflictTerm, conflictIndex } = reply;
  const before = conflictTerm === 0
    ? undefined
    : log.lastNotAfter(conflictTerm, Math.min(reply.prevIndex - 1, log.lastIndex));
  // Where this leader's log has that term, or an earlier one, it may agree; else not before the peer's first entry of it.
  const next = before !== undefined && before >= conflictIndex ? before + 1 : conflictIndex;
  probe(peer, Math.min(next, reply.prevIndex));
}
