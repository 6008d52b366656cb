/**
 * How a server becomes leader, and how it stops being one.
 *
 * @module
 */

import { release, send, setTerm } from "./gate.ts";
import { lead } from "./leader.ts";
import { isVoter } from "./membership/configuration.ts";
import { countVotes } from "./membership/quorum.ts";
import type { PreVote, PreVoteReply, Vote, VoteReply } from "./state/message.ts";
import { type Candidate, electionDeadline, keeps, type Raft } from "./state/raft.ts";
import { stepDown } from "./step_down.ts";

/** Whoever has waited in vain for a leader, or for votes, tries to lead. */
export function tickElection(raft: Raft): void {
  const { role } = raft;
  if (role.name === "leader" || raft.now < role.deadline) return;
  if (!mayCampaign(raft)) {
    role.deadline = electionDeadline(raft);
    if (role.name === "follower") forgetLeader(raft);
    return;
  }
  campaign(raft, keeps(raft, "pre-vote") ? "pre-candidate" : "candidate", false);
}

/** The leader wants this server to take over: it need not ask first whether there is one. */
export function campaignForTransfer(raft: Raft): void {
  if (raft.role.name !== "leader" && mayCampaign(raft)) campaign(raft, "candidate", true);
}

/**
 * Voters campaign. So does who is one until a change is committed, as far as this server knows, that makes it none: it may be
 * the only one that has that change, so that nobody else can win (Ongaro's dissertation, 4.2.2). Its own vote does not count
 * then.
 */
function mayCampaign({ id, members, commit }: Raft): boolean {
  return members.since(commit).some((configuration) => isVoter(configuration, id));
}

function campaign(raft: Raft, name: "pre-candidate" | "candidate", transfer: boolean): void {
  if (name === "candidate") setTerm(raft, raft.term + 1, raft.id);
  raft.role = {
    name,
    votes: new Map([[raft.id, true]]),
    deadline: electionDeadline(raft),
  };
  const { lastIndex, lastTerm } = raft.log;
  for (const to of raft.members.voters) {
    if (to === raft.id) continue;
    if (name === "candidate") {
      send(raft, to, { type: "vote", term: raft.term, lastIndex, lastTerm, transfer });
    } else {
      send(raft, to, { type: "pre-vote", term: raft.term + 1, lastIndex, lastTerm });
    }
  }
  countVotesOf(raft);
}

/**
 * Goes on when the votes suffice. The own vote counts like any other, so it has to be on the disk before it makes a leader:
 * a lone voter that forgot its term could lead twice in it.
 */
export function countVotesOf(raft: Raft): void {
  const { role, members } = raft;
  if (role.name !== "pre-candidate" && role.name !== "candidate") return;
  const voters = keeps(raft, "voters-only")
    ? members.voters
    : members.configuration.map(({ id }) => id);
  const result = countVotes(voters, role.votes);
  if (result === "lost") return stepDown(raft, raft.term, undefined);
  if (result === "open") return;
  if (role.name === "pre-candidate") return campaign(raft, "candidate", false);
  if (keeps(raft, "durable-vote") && raft.votes.durable < raft.votes.written) return;
  lead(raft);
}

/**
 * Somebody asks whether it would get a vote. The own state does not change, whatever its term.
 *
 * Whether the sender is a voter by the own log does not matter: that log may lack the entry that made it one, and then
 * nobody could win while the leader that appended it is gone.
 */
export function takePreVote(raft: Raft, from: string, message: PreVote): void {
  const granted = message.term > raft.term && isNewEnough(raft, message) && !hearsLeader(raft);
  const term = granted ? message.term : raft.term;
  send(raft, from, { type: "pre-vote-reply", term, granted });
}

/** Takes the answer to a question of this server. */
export function takePreVoteReply(raft: Raft, from: string, message: PreVoteReply): void {
  if (!message.granted && message.term > raft.term) {
    return stepDown(raft, message.term, undefined);
  }
  if (raft.role.name !== "pre-candidate") return;
  if (message.granted && message.term !== raft.term + 1) return;
  if (!message.granted && message.term < raft.term) return;
  noteVote(raft.role, from, message.granted);
  countVotesOf(raft);
}

/**
 * Somebody asks for a vote.
 *
 * Proof obligations: one vote a term (else two leaders of one term: "one-vote"), only for a log that is at least as new
 * (else a leader may lack what is committed: "newer-log"), and none while a leader is heard (else a server that was cut off
 * deposes it: "stickiness").
 */
export function takeVote(raft: Raft, from: string, message: Vote): void {
  // Nor in this term: what brought it here may have been an answer, and then nobody has waited for the leader's lease to end.
  if (message.term >= raft.term && !message.transfer && hearsLeader(raft)) return;
  if (message.term > raft.term) stepDown(raft, message.term, undefined);
  const open = raft.vote === undefined || raft.vote === from || !keeps(raft, "one-vote");
  const { name } = raft.role;
  const granted = message.term === raft.term && name !== "candidate" && name !== "leader" && open &&
    isNewEnough(raft, message);
  if (granted) {
    if (raft.vote !== from) setTerm(raft, raft.term, from);
    stepDown(raft, raft.term, undefined);
  }
  send(raft, from, { type: "vote-reply", term: raft.term, granted });
}

/** Takes the answer to a question of this server. */
export function takeVoteReply(raft: Raft, from: string, message: VoteReply): void {
  if (message.term > raft.term) return stepDown(raft, message.term, undefined);
  if (message.term < raft.term && keeps(raft, "stale-term")) return;
  if (raft.role.name !== "candidate") return;
  noteVote(raft.role, from, message.granted);
  countVotesOf(raft);
}

/** A vote that is given stays so: a refusal may answer a question of an earlier term. */
function noteVote({ votes }: Candidate, from: string, granted: boolean): void {
  votes.set(from, granted || votes.get(from) === true);
}

/** The own term and vote are on the disk. */
export function voteWritten(raft: Raft, seq: number): void {
  raft.votes.durable = Math.max(raft.votes.durable, Math.min(seq, raft.votes.written));
  release(raft);
  countVotesOf(raft);
}

/** The newer log has the higher last term, or with the same last term the higher last index. */
function isNewEnough(
  raft: Raft,
  { lastIndex, lastTerm }: { readonly lastIndex: number; readonly lastTerm: number },
): boolean {
  if (!keeps(raft, "newer-log")) return true;
  const { log } = raft;
  return lastTerm > log.lastTerm || (lastTerm === log.lastTerm && lastIndex >= log.lastIndex);
}

/** Whether there is a leader as far as this server can tell. */
function hearsLeader(raft: Raft): boolean {
  if (!keeps(raft, "stickiness")) return false;
  if (raft.role.name === "leader") return true;
  return raft.now - raft.heardLeaderAt < raft.options.electionTimeoutMs;
}

function forgetLeader(raft: Raft): void {
  if (raft.role.name === "follower") raft.role.leader = undefined;
}
