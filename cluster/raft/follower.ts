/**
 * What a follower does with what its leader sends.
 *
 * @module
 */

import { send, writeLog } from "./gate.ts";
import type { Append, AppendReply } from "./state/message.ts";
import { electionDeadline, type Follower, keeps, type Raft } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";

/**
 * Takes a message that only the leader of a term sends. Returns the role of a follower of that leader, or `undefined` when the
 * message is from an earlier term.
 *
 * Proof obligation "stale-term": a leader that was deposed does not reset the patience with the one that is missing, nor does
 * it change the log.
 */
export function hearLeader(raft: Raft, from: string, term: number): Follower | undefined {
  if (term < raft.term && keeps(raft, "stale-term")) return undefined;
  if (raft.role.name === "leader" && term === raft.term) {
    throw new RangeError(`Two leaders in term ${term}: this server and ${from}`);
  }
  if (term > raft.term || raft.role.name !== "follower") {
    stepDown(raft, Math.max(term, raft.term), from);
  }
  const follower = raft.role as Follower;
  follower.leader = from;
  follower.deadline = electionDeadline(raft);
  raft.heardLeaderAt = raft.now;
  return follower;
}

/** Takes entries, or a heartbeat. */
export function takeAppend(raft: Raft, from: string, message: Append): void {
  const answer = (fields: Partial<AppendReply>, logIndex?: number): void =>
    send(raft, from, {
      type: "append-reply",
      term: raft.term,
      success: false,
      prevIndex: message.prevIndex,
      matchIndex: 0,
      conflictTerm: 0,
      conflictIndex: 0,
      lastIndex: raft.log.lastIndex,
      round: message.round,
      ...fields,
    }, logIndex);
  // Its sender may lead again by now, and must not take this for an answer to what it asks in this term.
  if (hearLeader(raft, from, message.term) === undefined) {
    return answer({ prevIndex: 0, round: 0 });
  }
  const { log } = raft;
  const { prevIndex, prevTerm } = message;
  // What a snapshot covers is committed, so it is the leader's, too.
  const term = prevIndex < log.beforeIndex ? prevTerm : log.term(prevIndex);
  if (term !== prevTerm) {
    if (term !== undefined && prevIndex <= raft.commit) {
      throw new RangeError(`Committed entry ${prevIndex} of term ${term} has term ${prevTerm}`);
    }
    const conflictIndex = term === undefined ? log.lastIndex + 1 : log.firstOfTermAt(prevIndex);
    return answer({ conflictTerm: term ?? 0, conflictIndex });
  }
  takeEntries(raft, message);
  const verified = prevIndex + message.entries.length;
  // Not up to the own last entry: what follows may be another leader's.
  const limit = keeps(raft, "verified-commit") ? verified : log.lastIndex;
  raft.commit = Math.max(raft.commit, Math.min(message.commit, limit));
  answer({ success: true, matchIndex: verified, lastIndex: log.lastIndex }, verified);
}

/**
 * Appends what is new. Entries that are there stay, with all that follows them: a message that comes late must not cut off
 * what came after it ("keep-duplicates").
 */
function takeEntries(raft: Raft, { entries }: Append): void {
  const { log } = raft;
  const known = ({ index, term }: Append["entries"][number]): boolean =>
    index <= log.beforeIndex || (keeps(raft, "keep-duplicates") && log.term(index) === term);
  const start = entries.findIndex((entry) => !known(entry));
  if (start < 0) return;
  const fresh = entries.slice(start);
  const from = (fresh[0] as Append["entries"][number]).index;
  if (from > log.lastIndex) return writeLog(raft, fresh);
  if (from <= raft.commit && keeps(raft, "keep-duplicates")) {
    throw new RangeError(`Entry ${from} is committed and cannot be replaced`);
  }
  writeLog(raft, fresh, from);
}
