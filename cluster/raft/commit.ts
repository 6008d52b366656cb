/**
 * When a leader may call an entry committed, and what follows.
 *
 * @module
 */

import { type Entry, entryBytes } from "./log/entry.ts";
import { reachedByMajority } from "./membership/quorum.ts";
import { parkedReads } from "./reads.ts";
import { heartbeat } from "./replication.ts";
import { keeps, type Leader, type Raft } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";

/**
 * Commits what a majority of voters has.
 *
 * Proof obligations: the entry is of the own term, since one of an earlier term can still be replaced although a majority has
 * it ("own-term-commit"); the leader counts itself with what is on its disk ("durable-own-entries"); only voters count
 * ("voters-only").
 */
export function advanceCommit(raft: Raft, leader: Leader): void {
  const { log, members, id } = raft;
  const own = keeps(raft, "durable-own-entries") ? log.durableIndex : log.lastIndex;
  const counted = keeps(raft, "voters-only")
    ? members.voters
    : members.configuration.map((member) => member.id);
  const index = reachedByMajority(
    counted,
    (voter) => voter === id ? own : leader.peers.get(voter)?.match ?? 0,
  );
  if (index <= raft.commit) return;
  if (keeps(raft, "own-term-commit") && log.term(index) !== raft.term) return;
  const before = raft.commit;
  raft.commit = index;
  forgetCommitted(leader, index);
  afterCommit(raft, leader, before);
}

function afterCommit(raft: Raft, leader: Leader, before: number): void {
  const { members } = raft;
  if (before < leader.firstIndex && raft.commit >= leader.firstIndex) parkedReads(raft, leader);
  if (members.index <= before || members.index > raft.commit) return;
  // The members' change is committed: who was taken out hears of it once more, and is left alone.
  for (const id of [...leader.peers.keys()]) {
    if (members.configuration.some((member) => member.id === id)) continue;
    heartbeat(raft, leader, id);
    leader.peers.delete(id);
  }
  if (!members.isVoter(raft.id)) {
    for (const id of leader.peers.keys()) heartbeat(raft, leader, id);
    stepDown(raft, raft.term, undefined);
  }
}

/** The own log is on the disk up to some entry. */
export function ownLogWritten(raft: Raft): void {
  if (raft.role.name === "leader") advanceCommit(raft, raft.role);
}

/** Counts entries, the last of which has this index, as waiting for their commit. */
export function noteUncommitted(
  { uncommitted }: Leader,
  last: number,
  entries: readonly Entry[],
): void {
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  uncommitted.batches.push({ last, bytes });
  uncommitted.bytes += bytes;
}

function forgetCommitted({ uncommitted }: Leader, commit: number): void {
  const { batches } = uncommitted;
  let done = 0;
  for (; (batches[done]?.last ?? Infinity) <= commit; done++) {
    uncommitted.bytes -= (batches[done] as { bytes: number }).bytes;
  }
  batches.splice(0, done);
}
