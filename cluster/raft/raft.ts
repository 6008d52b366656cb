/**
 * The consensus core: one function from what happens to what is to be done.
 *
 * @module
 */

import type { Random } from "../runtime.ts";
import { change, tickStaging } from "./change.ts";
import { ownLogWritten } from "./commit.ts";
import {
  campaignForTransfer,
  takePreVote,
  takePreVoteReply,
  takeVote,
  takeVoteReply,
  tickElection,
  voteWritten,
} from "./election.ts";
import { takeAppend } from "./follower.ts";
import { release } from "./gate.ts";
import {
  chunkLoaded,
  chunkStored,
  snapshotReceived,
  snapshotSaved,
  takeInstall,
  takeInstallReply,
} from "./install.ts";
import { before, checkInvariants, RaftInvariantError } from "./invariants.ts";
import { propose, tickLeader } from "./leader.ts";
import type { Entry } from "./log/entry.ts";
import { Log } from "./log/log.ts";
import type { RestoredEntries } from "./log/restored.ts";
import {
  type Configuration,
  configurationProblem,
  encodeConfiguration,
  votersOf,
} from "./membership/configuration.ts";
import { Members } from "./membership/members.ts";
import { takeReads } from "./reads.ts";
import { entriesLoaded } from "./replication.ts";
import { takeAppendReply } from "./replies.ts";
import { type Effects, type Input, noEffects } from "./state/effects.ts";
import type { Message, SnapshotMeta } from "./state/message.ts";
import { optionsProblem, type RaftOptions } from "./state/options.ts";
import { electionDeadline, keeps, leaderOf, type Raft } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";
import { tickTransfer, transfer } from "./transfer.ts";

/** What a server has on its disk when it starts. */
export interface Restored extends RestoredEntries {
  /** The current term; 0 for a new server. */
  readonly term: number;
  /** Who got its vote. */
  readonly vote: string | undefined;
  /** The newest snapshot. */
  readonly snapshot: SnapshotMeta | undefined;
  /** The machine has these entries already. */
  readonly applied: number;
}

/** A server that has nothing. */
export const NOTHING: Restored = {
  term: 0,
  vote: undefined,
  snapshot: undefined,
  beforeIndex: 0,
  beforeTerm: 0,
  entries: [],
  applied: 0,
};

/**
 * A server as it is after a start: a follower that has heard nobody. For an election timeout it gives no vote, since before
 * the start it may have promised one to a leader's lease.
 *
 * @param now milliseconds of the clock that the steps go by
 * @throws {RangeError} when options contradict each other, or what was restored does
 */
export function createRaft(
  id: string,
  options: RaftOptions,
  random: Random,
  now: number,
  restored: Restored = NOTHING,
): Raft {
  const problem = optionsProblem(options);
  if (problem !== undefined) throw new RangeError(problem);
  const { snapshot, beforeIndex, beforeTerm, onDisk, entries, applied } = restored;
  const covered = snapshot?.index ?? 0;
  if (beforeIndex > covered) {
    throw new RangeError(`Log begins after ${beforeIndex}, the snapshot ends with ${covered}`);
  }
  const log = new Log(beforeIndex, beforeTerm, options.cacheBytes);
  log.restore(entries, onDisk);
  if (log.lastIndex < covered) {
    throw new RangeError(`Log ends with ${log.lastIndex}, the snapshot with ${covered}`);
  }
  if (snapshot !== undefined && (log.term(covered) ?? snapshot.term) !== snapshot.term) {
    throw new RangeError(`Entry ${covered} has not the term ${snapshot.term} of the snapshot`);
  }
  const members = new Members(snapshot?.configurationIndex ?? 0, snapshot?.configuration ?? []);
  const all = [...onDisk?.configurations ?? [], ...entries];
  members.append(all.filter(({ index }) => index > (snapshot?.configurationIndex ?? 0)));
  const known = Math.max(covered, applied);
  const raft: Raft = {
    id,
    options,
    random,
    now,
    term: restored.term,
    vote: restored.vote,
    votes: { written: 0, durable: 0 },
    log,
    commit: known,
    applied: known,
    applying: known,
    members,
    snapshot,
    heardLeaderAt: now,
    ledUntil: now,
    role: { name: "follower", leader: undefined, deadline: now, receiving: undefined },
    held: [],
    out: noEffects(),
  };
  // Whoever was not alone a change ago may have promised a leader's lease to wait.
  const isAlone = members.isVoter(id) &&
    members.since(known).every((configuration) => votersOf(configuration).every((it) => it === id));
  raft.role = {
    name: "follower",
    leader: undefined,
    deadline: isAlone ? now : electionDeadline(raft),
    receiving: undefined,
  };
  return raft;
}

/**
 * The first entry of a new cluster: who belongs to it. All that found it together have the same one.
 *
 * @throws {RangeError} when the configuration is none
 */
export function foundingEntry(configuration: Configuration, time: number): Entry {
  const problem = configurationProblem(configuration);
  if (problem !== undefined) throw new RangeError(problem);
  const data = encodeConfiguration(configuration);
  return { index: 1, term: 1, type: "configuration", time, data };
}

/**
 * Takes one thing that happened and returns what is to be done. Synchronous; the state changes in place.
 *
 * @param now milliseconds of a clock that never goes back
 * @throws {RaftInvariantError} when the state is impossible; the server must stop then
 */
export function step(raft: Raft, now: number, input: Input): Effects {
  const old = before(raft);
  const leader = leaderOf(raft);
  raft.now = Math.max(raft.now, now);
  raft.out = noEffects();
  try {
    take(raft, input);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RaftInvariantError(cause.message, { cause });
  }
  const { out } = raft;
  const changed = raft.role.name !== old.role.name || raft.term !== old.term ||
    leaderOf(raft) !== leader;
  if (changed) out.role = { role: raft.role.name, term: raft.term, leader: leaderOf(raft) };
  applyCommitted(raft);
  checkInvariants(raft, old);
  return out;
}

function take(raft: Raft, input: Input): void {
  switch (input.type) {
    case "tick":
      return tick(raft);
    case "message":
      return takeMessage(raft, input.from, input.message);
    case "propose":
      return propose(raft, input.proposals, input.time);
    case "read":
      return takeReads(raft, input.requests);
    case "change":
      return change(raft, input.change, input.expectedIndex, input.time);
    case "transfer":
      return transfer(raft, input.target);
    case "vote-written":
      return voteWritten(raft, input.seq);
    case "log-written":
      raft.log.written(input.seq);
      release(raft);
      return ownLogWritten(raft);
    case "applied":
      raft.applied = Math.max(raft.applied, input.index);
      return;
    case "snapshot-saved":
      return snapshotSaved(raft, input.snapshot);
    case "entries-loaded":
      return entriesLoaded(raft, input.to, input.entries);
    case "chunk-loaded":
      return chunkLoaded(raft, input.to, input.index, input.offset, input.chunk);
    case "chunk-stored":
      return chunkStored(raft, input.index, input.nextOffset);
    case "snapshot-received":
      return snapshotReceived(raft, input.snapshot);
  }
}

function tick(raft: Raft): void {
  const { role } = raft;
  if (role.name !== "leader") return tickElection(raft);
  tickTransfer(raft, role);
  tickStaging(raft, role);
  tickLeader(raft, role);
}

/**
 * When the next tick has something to do, in milliseconds of the clock of the steps; each step may change it. Until then none is
 * needed, and one that comes earlier does no harm: what has no time of its own is seen to with each round of heartbeats.
 */
export function tickDueAt({ role, options }: Raft): number {
  if (role.name !== "leader") return role.deadline;
  const { nextRoundAt, confirmedAt, transfer } = role;
  const quorumAt = confirmedAt + options.electionTimeoutMs;
  return Math.min(nextRoundAt, quorumAt, transfer?.deadline ?? Infinity);
}

function takeMessage(raft: Raft, from: string, message: Message): void {
  switch (message.type) {
    case "pre-vote":
      return takePreVote(raft, from, message);
    case "pre-vote-reply":
      return takePreVoteReply(raft, from, message);
    case "vote":
      return takeVote(raft, from, message);
    case "vote-reply":
      return takeVoteReply(raft, from, message);
    case "append":
      return takeAppend(raft, from, message);
    case "append-reply":
      return takeAppendReply(raft, from, message);
    case "install":
      return takeInstall(raft, from, message);
    case "install-reply":
      return takeInstallReply(raft, from, message);
    case "timeout-now":
      if (message.term < raft.term) return;
      if (message.term > raft.term) stepDown(raft, message.term, from);
      return campaignForTransfer(raft);
  }
}

/**
 * The machine may apply what is committed, and on the own disk: a leader can commit by two followers before its own disk is
 * done, and must not have applied what a crash takes back ("durable-apply").
 */
function applyCommitted(raft: Raft): void {
  const { commit, log, out } = raft;
  const to = keeps(raft, "durable-apply") ? Math.min(commit, log.durableIndex) : commit;
  if (to <= raft.applying) return;
  raft.applying = to;
  out.apply = to;
}
