/**
 * What servers say to each other about the log.
 *
 * Every message carries the sender's term, a pre-vote the one that it would have. Who sent it and which cluster it belongs to
 * is told by the link that brings it.
 *
 * @module
 */

import type { Entry } from "../log/entry.ts";
import type { Configuration } from "../membership/configuration.ts";

/** Asks whether the sender would get a vote in this term; changes nothing at the receiver. */
export interface PreVote {
  readonly type: "pre-vote";
  /** The term that the sender would campaign in. */
  readonly term: number;
  /** Last index of the sender's log. */
  readonly lastIndex: number;
  /** Its term. */
  readonly lastTerm: number;
}

/** Answers a {@linkcode PreVote}. */
export interface PreVoteReply {
  readonly type: "pre-vote-reply";
  /** The term that was asked about when it is granted, else the receiver's own. */
  readonly term: number;
  readonly granted: boolean;
}

/** Asks for a vote. */
export interface Vote {
  readonly type: "vote";
  readonly term: number;
  /** Last index of the sender's log. */
  readonly lastIndex: number;
  /** Its term. */
  readonly lastTerm: number;
  /** The leader itself asked the sender to campaign: that it is alive is no reason to refuse. */
  readonly transfer: boolean;
}

/** Answers a {@linkcode Vote}. */
export interface VoteReply {
  readonly type: "vote-reply";
  readonly term: number;
  readonly granted: boolean;
}

/** Brings entries; without entries it is a heartbeat. */
export interface Append {
  readonly type: "append";
  readonly term: number;
  /** The entries follow this index... */
  readonly prevIndex: number;
  /** ...which has this term at the leader. */
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  /** What the leader knows to be committed. */
  readonly commit: number;
  /** Number of the leader's newest round of heartbeats; the answer repeats it. */
  readonly round: number;
}

/** Answers an {@linkcode Append}. */
export interface AppendReply {
  readonly type: "append-reply";
  readonly term: number;
  /** Whether the receiver's log has the entry before those sent. */
  readonly success: boolean;
  /** The `prevIndex` that is answered; 0 when the question was of an earlier term. */
  readonly prevIndex: number;
  /** Up to here the receiver's log is the leader's, on its disk; 0 without success. */
  readonly matchIndex: number;
  /** Without success: the term that the receiver has at `prevIndex`, 0 when its log ends before. */
  readonly conflictTerm: number;
  /** Without success: the first index of that term, or the one after its last. */
  readonly conflictIndex: number;
  /** The last index of the receiver's log. */
  readonly lastIndex: number;
  /** The round that is answered; 0 when the question was of an earlier term. */
  readonly round: number;
}

/** What is known of a snapshot before its bytes. */
export interface SnapshotMeta {
  /** The last entry that it covers. */
  readonly index: number;
  /** Its term. */
  readonly term: number;
  /** The members as of that entry. */
  readonly configuration: Configuration;
  /** Index of the entry that made them so. */
  readonly configurationIndex: number;
  /** Bytes of the whole snapshot. */
  readonly size: number;
  /** SHA-256 of the whole snapshot, in hex: equal for equal contents. */
  readonly hash: string;
}

/** Brings a piece of a snapshot. */
export interface Install {
  readonly type: "install";
  readonly term: number;
  readonly snapshot: SnapshotMeta;
  /** Where the piece belongs, in bytes. */
  readonly offset: number;
  readonly chunk: Uint8Array;
}

/** Answers an {@linkcode Install}. */
export interface InstallReply {
  readonly type: "install-reply";
  readonly term: number;
  /** Index of the snapshot that is answered; 0 when the piece was of an earlier term. */
  readonly index: number;
  /** Up to where it is stored, in bytes. */
  readonly nextOffset: number;
  /** Whether it is in effect, so that entries can follow. */
  readonly installed: boolean;
}

/** The leader asks the receiver to campaign at once. */
export interface TimeoutNow {
  readonly type: "timeout-now";
  readonly term: number;
}

/** Any of the messages. */
export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | Install
  | InstallReply
  | TimeoutNow;

/** A message and who is to get it. */
export interface Outgoing {
  /** Id of the member. */
  readonly to: string;
  readonly message: Message;
}
