/**
 * What must be on the disk before it is said.
 *
 * @module
 */

import type { Message } from "./state/message.ts";
import { keeps, type Raft } from "./state/raft.ts";
import type { Entry } from "./log/entry.ts";
import type { LogWrite } from "./state/effects.ts";

/**
 * Sends a message, once the own term and vote as they are now are on the disk, and the log up to `logIndex`.
 *
 * Proof obligation: no message shows a term, vote or entry that a crash can take back; otherwise a server could vote twice in
 * a term, or a leader could count an entry that is gone. Without "durable-vote" or "durable-entries" the simulator finds two
 * leaders of a term and lost commits.
 */
export function send(raft: Raft, to: string, message: Message, logIndex = 0): void {
  const held = {
    to,
    message,
    voteSeq: keeps(raft, "durable-vote") ? raft.votes.written : 0,
    logIndex: keeps(raft, "durable-entries") ? logIndex : 0,
  };
  if (isFree(raft, held)) raft.out.messages.push({ to, message });
  else if (raft.held.length < MAX_HELD) raft.held.push(held);
}

/** Messages that wait for the disk; more are dropped, as the network might. A leader's window asks for 256 at most. */
const MAX_HELD = 1_024;

/** Sends what was held back and may go now. */
export function release(raft: Raft): void {
  if (raft.held.length === 0) return;
  raft.held = raft.held.filter((held) => {
    if (!isFree(raft, held)) return true;
    raft.out.messages.push({ to: held.to, message: held.message });
    return false;
  });
}

function isFree(
  { votes, log }: Raft,
  { voteSeq, logIndex }: { voteSeq: number; logIndex: number },
): boolean {
  return votes.durable >= voteSeq && log.durableIndex >= logIndex;
}

/** Goes to another term, or gives the vote of this one, and has both written. What was held back is of the past then. */
export function setTerm(raft: Raft, term: number, vote: string | undefined): void {
  if (term !== raft.term) raft.held = [];
  raft.term = term;
  raft.vote = vote;
  raft.votes.written++;
  raft.out.vote = { seq: raft.votes.written, term, vote };
}

/** Appends entries, after the removal of `truncateFrom` and what follows it, and has the change written. */
export function writeLog(raft: Raft, entries: readonly Entry[], truncateFrom?: number): void {
  const { log, members, out } = raft;
  let changed = false;
  if (truncateFrom !== undefined) {
    log.truncate(truncateFrom);
    changed = members.truncate(truncateFrom);
  }
  log.append(entries);
  changed = members.append(entries) || changed;
  if (changed) out.configuration = members.configuration;
  addWrite(raft, { entries, ...(truncateFrom !== undefined && { truncateFrom }) });
}

/** Has a change of the log written that was made already. One step makes one write. */
export function addWrite(raft: Raft, change: Omit<LogWrite, "seq">): void {
  const { log, out } = raft;
  const { log: earlier } = out;
  if (earlier === undefined) {
    out.log = { ...change, seq: log.nextWrite() };
    return;
  }
  if (change.truncateFrom !== undefined || change.reset !== undefined) {
    throw new RangeError("One step cuts the log once, and before it appends");
  }
  out.log = { ...earlier, entries: [...earlier.entries, ...change.entries] };
  log.extendWrite();
}
