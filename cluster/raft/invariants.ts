/**
 * What is true of a server after every step. A server that finds it untrue stops: that is a lost replica, and not lost data.
 *
 * @module
 */

import { keeps, type Raft } from "./state/raft.ts";

/** Something is so that must not be: this server's state is wrong, and it must not go on. */
export class RaftInvariantError extends Error {
  /** "RaftInvariantError". */
  override readonly name = "RaftInvariantError";
}

/** What is kept from before a step to see what it changed. */
export interface Before {
  readonly term: number;
  readonly vote: string | undefined;
  readonly commit: number;
  readonly lastIndex: number;
  readonly role: Raft["role"];
}

/** Takes note of what a step must not undo. */
export function before({ term, vote, commit, log, role }: Raft): Before {
  return { term, vote, commit, lastIndex: log.lastIndex, role };
}

/**
 * Checks a server after a step.
 *
 * @throws {RaftInvariantError} when something cannot be
 */
export function checkInvariants(raft: Raft, old: Before): void {
  const { term, vote, commit, applied, applying, log, snapshot, role, id } = raft;
  must(term >= old.term, () => `Term went back from ${old.term} to ${term}`);
  must(
    term > old.term || old.vote === undefined || vote === old.vote ||
      !keeps(raft, "one-vote"),
    () => `Vote of term ${term} changed from ${old.vote} to ${vote}`,
  );
  must(commit >= old.commit, () => `Commit went back from ${old.commit} to ${commit}`);
  must(commit <= log.lastIndex, () => `Commit ${commit} is after the last entry ${log.lastIndex}`);
  must(log.beforeIndex <= commit, () => `Log begins after ${log.beforeIndex}, commit is ${commit}`);
  must(
    log.beforeIndex <= (snapshot?.index ?? 0),
    () => `Log begins after ${log.beforeIndex}, the snapshot ends with ${snapshot?.index ?? 0}`,
  );
  must(
    applied <= applying && applying <= commit,
    () => `Applied ${applied}, applying ${applying}, committed ${commit}`,
  );
  must(
    log.durableIndex <= log.lastIndex,
    () => `Entry ${log.durableIndex} is on the disk, the last is ${log.lastIndex}`,
  );
  if (role.name !== "leader") return;
  must(vote === id, () => `Leads term ${term} with its vote for ${vote}`);
  must(
    raft.votes.durable === raft.votes.written || !keeps(raft, "durable-vote"),
    () => `Leads term ${term} before its vote is on the disk`,
  );
  must(
    role !== old.role || log.lastIndex >= old.lastIndex,
    () => `Leader's log shrank from ${old.lastIndex} to ${log.lastIndex}`,
  );
  for (const { match, next, id: peer } of role.peers.values()) {
    must(
      match < next && match <= log.lastIndex,
      () => `Peer ${peer} has ${match} of ${log.lastIndex} entries and gets ${next} next`,
    );
  }
}

function must(holds: boolean, problem: () => string): void {
  if (!holds) throw new RaftInvariantError(problem());
}
