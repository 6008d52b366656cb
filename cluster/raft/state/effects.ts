/**
 * What goes into the core and what comes out of it.
 *
 * The driver carries the effects out in any order and as slowly as it likes, under two conditions: writes of the log in the
 * order of their numbers, and nothing is reported as done before it is. The core itself holds back what must not be said
 * before something is on the disk.
 *
 * @module
 */

import type { Entry } from "../log/entry.ts";
import type { Configuration, ConfigurationChange } from "../membership/configuration.ts";
import type { Message, Outgoing, SnapshotMeta } from "./message.ts";

/** What a server is to the others. */
export type RoleName = "follower" | "pre-candidate" | "candidate" | "leader";

/** A command or a barrier that is to be appended. */
export interface Proposal {
  readonly type: "command" | "barrier";
  /** The command; of a barrier what tells it from others, if anything. */
  readonly data: Uint8Array;
}

/** A question whether this server is still the leader. */
export interface ReadRequest {
  /** The driver's number for it. */
  readonly id: number;
  /** The answer has to see at least this entry. Default: what is committed. */
  readonly atLeast?: number;
  /** Whether a lease will do instead of a round of heartbeats. */
  readonly lease?: boolean;
}

/** One thing that happened. */
export type Input =
  /** Time has passed. Wanted at least every quarter of a heartbeat. */
  | { readonly type: "tick" }
  /** A peer said something. */
  | { readonly type: "message"; readonly from: string; readonly message: Message }
  /** Entries are to be appended at the leader. `time` is its wall clock in milliseconds since 1970. */
  | { readonly type: "propose"; readonly proposals: readonly Proposal[]; readonly time: number }
  /** Reads are to be answered. */
  | { readonly type: "read"; readonly requests: readonly ReadRequest[] }
  /**
   * A member is to be added, changed or removed. With `expectedIndex` only if the configuration is the one that the entry
   * there made.
   */
  | {
    readonly type: "change";
    readonly change: ConfigurationChange;
    readonly expectedIndex?: number;
    readonly time: number;
  }
  /** The leader is to hand over, to the member that has most if no target is named. */
  | { readonly type: "transfer"; readonly target?: string }
  /** A write of term and vote is on the disk, and so are all before it. */
  | { readonly type: "vote-written"; readonly seq: number }
  /** A write of the log is on the disk, and so are all before it. */
  | { readonly type: "log-written"; readonly seq: number }
  /** The machine has applied the entries up to this one. */
  | { readonly type: "applied"; readonly index: number }
  /** A snapshot of the own machine is on the disk. */
  | { readonly type: "snapshot-saved"; readonly snapshot: SnapshotMeta }
  /** Entries that were asked for with a {@linkcode LoadEntries}; none when they cannot be had. */
  | { readonly type: "entries-loaded"; readonly to: string; readonly entries: readonly Entry[] }
  /** A piece that was asked for with a {@linkcode LoadChunk}; `undefined` when that snapshot is gone. */
  | {
    readonly type: "chunk-loaded";
    readonly to: string;
    readonly index: number;
    readonly offset: number;
    readonly chunk: Uint8Array | undefined;
  }
  /**
   * A piece was stored as a {@linkcode StoreChunk} asked, up to `nextOffset`; 0 when what there was had to be thrown away.
   */
  | { readonly type: "chunk-stored"; readonly index: number; readonly nextOffset: number }
  /** All pieces are stored and their hash is right. */
  | { readonly type: "snapshot-received"; readonly snapshot: SnapshotMeta };

/** Why something was not taken on. Nothing of it has happened, and nothing will. */
export type Refusal =
  | { readonly reason: "not-leader"; readonly leader: string | undefined }
  | { readonly reason: "transfer-in-progress" }
  | { readonly reason: "overloaded" }
  | { readonly reason: "entry-too-large"; readonly bytes: number; readonly limit: number }
  | { readonly reason: "change-in-progress" }
  | { readonly reason: "not-ready" }
  | { readonly reason: "configuration-changed"; readonly index: number }
  | { readonly reason: "invalid-change"; readonly problem: string }
  | { readonly reason: "no-target" };

/** Entries that were appended and now wait for their commit. */
export interface Accepted {
  /** The first one. */
  readonly first: number;
  /** The last one. */
  readonly last: number;
  /** Their term: an entry of another term at such an index is not the one that was proposed. */
  readonly term: number;
}

/** Term and vote to be kept, as one record. */
export interface VoteWrite {
  /** Number of the write. */
  readonly seq: number;
  readonly term: number;
  readonly vote: string | undefined;
}

/** A change of the log on the disk. Its parts belong together: `reset`, then `truncateFrom`, then `entries`. */
export interface LogWrite {
  /** Number of the write. */
  readonly seq: number;
  /**
   * The received snapshot takes effect: the machine is replaced by it, and the log begins after it. With `keepSuffix` the
   * entries after it stay.
   */
  readonly reset?: { readonly snapshot: SnapshotMeta; readonly keepSuffix: boolean };
  /** This entry and all after it go. */
  readonly truncateFrom?: number;
  /** These follow. */
  readonly entries: readonly Entry[];
}

/** Entries that a slow peer needs and that are not in memory any more. */
export interface LoadEntries {
  readonly to: string;
  readonly from: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** A piece of the own snapshot that a peer needs. */
export interface LoadChunk {
  readonly to: string;
  /** Index of the snapshot. */
  readonly index: number;
  readonly offset: number;
}

/** A piece of the leader's snapshot that is to be stored apart, until it is whole. */
export interface StoreChunk {
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
  readonly chunk: Uint8Array;
}

/** Whether this server leads now, and who does. */
export interface RoleChange {
  readonly role: RoleName;
  readonly term: number;
  readonly leader: string | undefined;
}

/** All that a step asks for. What is empty or missing asks for nothing. */
export interface Effects {
  /** Term and vote to be written. */
  vote?: VoteWrite;
  /** What to write to the log. */
  log?: LogWrite;
  /** Messages to be sent, in order. What the network loses is sent again. */
  readonly messages: Outgoing[];
  /** The machine may apply up to here: committed, and on the own disk. */
  apply?: number;
  /** Reads that may be answered once the machine has applied `index`. */
  readonly reads: { readonly id: number; readonly index: number }[];
  /** Reads that this server cannot answer, because it does not lead (any more). */
  readonly lostReads: number[];
  /** What became of the proposal, change or transfer of this step. */
  accepted?: Accepted;
  /** Why it was not taken on. */
  refused?: Refusal;
  /** The role, or the leader, has changed. */
  role?: RoleChange;
  /** The members have changed. */
  configuration?: Configuration;
  /** Entries up to here are not needed any more. */
  trimTo?: number;
  /** Entries to be loaded. */
  readonly loads: LoadEntries[];
  /** Pieces of the own snapshot to be loaded. */
  readonly chunks: LoadChunk[];
  /** A piece of the leader's snapshot to be stored. */
  store?: StoreChunk;
  /** The handing over that was asked for did not come about. */
  transferFailed?: boolean;
}

/** Nothing to do. */
export function noEffects(): Effects {
  return { messages: [], reads: [], lostReads: [], loads: [], chunks: [] };
}
