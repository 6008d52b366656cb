/**
 * What a leader does by itself: it begins its term, appends what is proposed, and sees whether it is heard.
 *
 * @module
 */

import { writeLog } from "./gate.ts";
import { advanceCommit, noteUncommitted } from "./commit.ts";
import type { Entry } from "./log/entry.ts";
import { type Configuration, encodeConfiguration } from "./membership/configuration.ts";
import { confirmRounds, startRound } from "./reads.ts";
import { replicate } from "./replication.ts";
import type { Proposal } from "./state/effects.ts";
import { newPeer } from "./state/peer.ts";
import { keeps, type Leader, leaderOf, type Raft } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";

/** Begins to lead in the term for which the votes were given: with an entry of it, so that what came before can be committed. */
export function lead(raft: Raft): void {
  const { log, members, now, options } = raft;
  const firstIndex = log.lastIndex + 1;
  const leader: Leader = {
    name: "leader",
    firstIndex,
    peers: new Map(),
    // The first entry is the first round.
    round: 1,
    rounds: new Map([[1, now]]),
    confirmed: 0,
    confirmedAt: now,
    nextRoundAt: now + options.heartbeatMs,
    shown: 0,
    reads: [],
    uncommitted: { batches: [], bytes: 0 },
    transfer: undefined,
    hasLeases: true,
  };
  raft.role = leader;
  for (const { id } of members.configuration) {
    if (id !== raft.id) leader.peers.set(id, newPeer(id, firstIndex));
  }
  append(raft, leader, [{ type: "no-op", data: NO_DATA }], 0);
  confirmRounds(raft, leader);
}

const NO_DATA = new Uint8Array(0);

/** Appends proposals, or says why not. */
export function propose(raft: Raft, proposals: readonly Proposal[], time: number): void {
  const { role, options, out } = raft;
  if (role.name !== "leader") {
    out.refused = { reason: "not-leader", leader: leaderOf(raft) };
    return;
  }
  if (role.transfer !== undefined) {
    out.refused = { reason: "transfer-in-progress" };
    return;
  }
  const large = proposals.find(({ data }) => data.length > options.maxEntryBytes);
  if (large !== undefined) {
    const bytes = large.data.length;
    out.refused = { reason: "entry-too-large", bytes, limit: options.maxEntryBytes };
    return;
  }
  const waiting = raft.log.lastIndex - raft.commit + proposals.length;
  if (waiting > options.maxUncommitted || role.uncommitted.bytes >= options.maxUncommittedBytes) {
    out.refused = { reason: "overloaded" };
    return;
  }
  append(raft, role, proposals, time);
}

/** Appends a configuration; it counts from now on. */
export function appendConfiguration(
  raft: Raft,
  leader: Leader,
  configuration: Configuration,
  time: number,
): void {
  append(
    raft,
    leader,
    [{ type: "configuration", data: encodeConfiguration(configuration) }],
    time,
  );
  for (const { id } of configuration) {
    if (id === raft.id || leader.peers.has(id)) continue;
    const peer = newPeer(id, raft.log.lastIndex + 1);
    leader.peers.set(id, peer);
    replicate(raft, peer);
  }
}

function append(
  raft: Raft,
  leader: Leader,
  what: readonly { readonly type: Entry["type"]; readonly data: Uint8Array }[],
  time: number,
): void {
  const { log, term, now, options, out } = raft;
  const first = log.lastIndex + 1;
  const entries = what.map(({ type, data }, i): Entry => ({
    index: first + i,
    term,
    type,
    time,
    data,
  }));
  noteUncommitted(leader, log.lastIndex + entries.length, entries);
  writeLog(raft, entries);
  // The rest is over.
  leader.nextRoundAt = Math.min(leader.nextRoundAt, now + options.heartbeatMs);
  out.accepted = { first, last: log.lastIndex, term };
  for (const peer of leader.peers.values()) replicate(raft, peer);
  advanceCommit(raft, leader);
}

/** What is due: a round, what peers wait for, the end of a leadership that nobody hears. */
export function tickLeader(raft: Raft, leader: Leader): void {
  const { now, options } = raft;
  if (now >= leader.nextRoundAt) {
    startRound(raft, leader);
    for (const peer of leader.peers.values()) replicate(raft, peer);
  }
  // After the round: a lone voter confirms it itself, however long its process stood still.
  if (keeps(raft, "check-quorum") && now - leader.confirmedAt > options.electionTimeoutMs) {
    stepDown(raft, raft.term, undefined);
  }
}
