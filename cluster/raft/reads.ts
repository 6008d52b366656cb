/**
 * Reads that are up to date without an entry in the log.
 *
 * A read is answered once a majority has answered a round of heartbeats that began after the read came, since no other leader
 * can have committed anything before that; and from a state that has what was committed when it came.
 *
 * @module
 */

import { reachedByMajority } from "./membership/quorum.ts";
import { heartbeat } from "./replication.ts";
import type { ReadRequest } from "./state/effects.ts";
import { keeps, type Leader, type Raft } from "./state/raft.ts";

/** Takes reads on, or tells that this server cannot answer them. */
export function takeReads(raft: Raft, requests: readonly ReadRequest[]): void {
  const { role, out } = raft;
  if (role.name !== "leader") {
    for (const { id } of requests) out.lostReads.push(id);
    return;
  }
  for (const { id, atLeast = 0, lease = false } of requests) {
    const index = readIndex(raft, role, atLeast);
    if (lease && index !== undefined && hasLease(raft, role)) out.reads.push({ id, index });
    else role.reads.push({ id, index, atLeast, round: undefined });
  }
  joinRound(raft, role);
}

/**
 * What a read has to see: all that is committed. A new leader knows that only once an entry of its own term is, so reads wait
 * until then ("own-term-read").
 */
function readIndex(raft: Raft, leader: Leader, atLeast: number): number | undefined {
  if (keeps(raft, "own-term-read") && raft.commit < leader.firstIndex) return undefined;
  return Math.max(raft.commit, Math.min(atLeast, raft.log.lastIndex));
}

/**
 * Whether no other leader can be there yet: voters that answered a round give no vote before an election timeout from its
 * beginning. Whom this leader asks to take over gets their votes at once, and may hear of it at any later time of this term, so
 * that was the last of its leases ("lease-ends").
 */
function hasLease(raft: Raft, leader: Leader): boolean {
  const { now, options } = raft;
  if (!leader.hasLeases && keeps(raft, "lease-ends")) return false;
  return now < leader.confirmedAt + options.electionTimeoutMs * options.leaseFraction;
}

/** Begins a round of heartbeats. Reads that wait for one wait for this one. */
export function startRound(raft: Raft, leader: Leader): void {
  leader.round++;
  leader.rounds.set(leader.round, raft.now);
  leader.nextRoundAt = raft.now + pauseAfterRound(raft, leader);
  leader.shown = raft.commit;
  for (const read of leader.reads) read.round ??= leader.round;
  for (const id of leader.peers.keys()) heartbeat(raft, leader, id);
  confirmRounds(raft, leader);
}

/** Rounds in an election timeout while nothing happens, unless heartbeats are rarer. */
const ROUNDS_AT_REST = 5;

/** At rest, when all have everything and were told that it is committed, rounds serve for nothing but signs of life. */
function pauseAfterRound({ log, commit, options }: Raft, { peers, shown }: Leader): number {
  const { heartbeatMs, electionTimeoutMs } = options;
  const isAtRest = commit === log.lastIndex && shown === commit &&
    peers.values().every(({ match }) => match === commit);
  return isAtRest ? Math.max(heartbeatMs, electionTimeoutMs / ROUNDS_AT_REST) : heartbeatMs;
}

/** Sees which rounds a majority has answered, and answers the reads that waited for them. */
export function confirmRounds(raft: Raft, leader: Leader): void {
  const round = reachedByMajority(
    raft.members.voters,
    (id) => id === raft.id ? leader.round : leader.peers.get(id)?.round ?? 0,
  );
  if (round <= leader.confirmed) return;
  leader.confirmed = round;
  leader.confirmedAt = leader.rounds.get(round) ?? leader.confirmedAt;
  for (const old of leader.rounds.keys()) if (old <= round) leader.rounds.delete(old);
  answerReads(raft, leader);
  joinRound(raft, leader);
}

/** An entry of the own term is committed: reads that waited for that know what to see. */
export function parkedReads(raft: Raft, leader: Leader): void {
  for (const read of leader.reads) read.index ??= readIndex(raft, leader, read.atLeast);
  answerReads(raft, leader);
}

/** Begins a round for reads that have none, unless one is under way: then they share the next one. */
function joinRound(raft: Raft, leader: Leader): void {
  if (!keeps(raft, "fresh-round")) {
    // Wrong: a round under way may have been answered before the read came.
    for (const read of leader.reads) read.round ??= leader.confirmed;
    return answerReads(raft, leader);
  }
  const newest = leader.reads.at(-1);
  if (newest === undefined || newest.round !== undefined) return;
  if (leader.confirmed === leader.round) startRound(raft, leader);
}

function answerReads(raft: Raft, leader: Leader): void {
  leader.reads = leader.reads.filter(({ id, index, round }) => {
    if (index === undefined || round === undefined || round > leader.confirmed) return true;
    raft.out.reads.push({ id, index });
    return false;
  });
}
