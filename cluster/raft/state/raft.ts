/**
 * What one server knows: its term and vote, its log, and what its role adds.
 *
 * @module
 */

import type { Random } from "../../runtime.ts";
import type { Effects } from "./effects.ts";
import type { Log } from "../log/log.ts";
import type { Members } from "../membership/members.ts";
import type { Message, SnapshotMeta } from "./message.ts";
import type { RaftOptions, Rule } from "./options.ts";
import type { Peer } from "./peer.ts";

/** A server that follows a leader, or waits for one. */
export interface Follower {
  readonly name: "follower";
  /** Who leads in this term, as far as known. */
  leader: string | undefined;
  /** When the patience with a silent leader ends. */
  deadline: number;
  /** The snapshot that is being received. */
  receiving: Receiving | undefined;
}

/** A snapshot on its way to this server. */
export interface Receiving {
  readonly snapshot: SnapshotMeta;
  /** Up to which byte it is stored. */
  offset: number;
  /** Up to which byte it will be when the piece is stored that is being written, if one is. */
  storing: number | undefined;
}

/** A server that asks for votes, or whether it would get them. */
export interface Candidate {
  readonly name: "pre-candidate" | "candidate";
  /** Answers by member. */
  readonly votes: Map<string, boolean>;
  /** When the next try begins. */
  deadline: number;
}

/** A read that waits. */
export interface WaitingRead {
  readonly id: number;
  /** What it has to see; `undefined` until an entry of the own term is committed. */
  index: number | undefined;
  readonly atLeast: number;
  /** The round that has to be confirmed; `undefined` until one begins. */
  round: number | undefined;
}

/** The server that the others follow. */
export interface Leader {
  readonly name: "leader";
  /** The index of the entry with which its term began. */
  readonly firstIndex: number;
  /** Everybody else who gets the log. */
  readonly peers: Map<string, Peer>;
  /** Number of the newest round of heartbeats. */
  round: number;
  /** When the rounds that are not confirmed began, by number. */
  readonly rounds: Map<number, number>;
  /** The newest round that a majority has answered. */
  confirmed: number;
  /** When that round began. */
  confirmedAt: number;
  /** When the next round is due. */
  nextRoundAt: number;
  /** Up to where the last round has told that entries are committed. */
  shown: number;
  /** Reads that wait, oldest first. */
  reads: WaitingRead[];
  /** What was appended in this term and is not committed: the last entry and the bytes of each batch. */
  readonly uncommitted: { readonly batches: { last: number; bytes: number }[]; bytes: number };
  /** To whom it hands over, if it does. */
  transfer: { readonly target: string; readonly deadline: number; asked: boolean } | undefined;
  /** Whether its leases count still: not once it has asked somebody to take over. */
  hasLeases: boolean;
}

/** What the role adds. */
export type Role = Follower | Candidate | Leader;

/** A message that waits for the disk. */
export interface HeldMessage {
  readonly to: string;
  readonly message: Message;
  /** Number of the write of term and vote that has to be done. */
  readonly voteSeq: number;
  /** The entry up to which the log has to be on the disk. */
  readonly logIndex: number;
}

/** One server. */
export interface Raft {
  /** Its identity. */
  readonly id: string;
  readonly options: RaftOptions;
  readonly random: Random;
  /** The time of this step, in milliseconds of a clock that never goes back. */
  now: number;
  /** The current term. */
  term: number;
  /** Who got the vote of this term. */
  vote: string | undefined;
  /** Number of the newest write of term and vote, and of the newest that is on the disk. */
  readonly votes: { written: number; durable: number };
  /** The log. */
  readonly log: Log;
  /** All entries up to this one are committed. */
  commit: number;
  /** The machine has applied the entries up to this one. */
  applied: number;
  /** Up to where the machine was told to apply. */
  applying: number;
  /** Who belongs to the cluster. */
  readonly members: Members;
  /** The newest snapshot, own or received. */
  snapshot: SnapshotMeta | undefined;
  /** When a leader was last heard, for refusing votes; it survives changes of the term. */
  heardLeaderAt: number;
  /** When a majority last followed this server, as of the end of its last leadership. */
  ledUntil: number;
  /** What the role adds. */
  role: Role;
  /** Messages that must not be sent yet. */
  held: HeldMessage[];
  /** What this step has asked for so far. */
  out: Effects;
}

/** Whether a rule counts; all do but those that a test does without. */
export function keeps({ options }: Raft, rule: Rule): boolean {
  return options.without === undefined || !options.without.includes(rule);
}

/** The leader of this term, as far as known. */
export function leaderOf(raft: Readonly<Raft>): string | undefined {
  const { role } = raft;
  if (role.name === "leader") return raft.id;
  return role.name === "follower" ? role.leader : undefined;
}

/** The end of a patience that begins now: one to two election timeouts, by chance. */
export function electionDeadline({ now, options, random }: Raft): number {
  return now + options.electionTimeoutMs * (1 + random.float());
}
