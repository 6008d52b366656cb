/**
 * What the driver needs around it: the log, votes and snapshots on the disk, and the way to the other servers.
 *
 * @module
 */

import type { Entry, Message, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type {
  LoadEntries,
  LogWrite,
  StoreChunk,
  VoteWrite,
} from "../../../cluster/raft/state/effects.ts";
import type { Store, StoreView } from "../../../cluster/machine/mod.ts";

/** The log on the disk. */
export interface LogStore {
  /**
   * Puts a change of the log on the disk, after all that was handed over before; what comes while one write is under way is
   * written as one group. Resolves when it is there, rejects as `Disk` does: after that nothing more may be written.
   */
  write(write: LogWrite): Promise<void>;
  /** Entries that follow each other from `from` on, at least one; none when the first is not there (any more). */
  load(request: Omit<LoadEntries, "to">): Promise<readonly Entry[]>;
  /** Frees what holds nothing but entries up to `index`. */
  trim(index: number): Promise<void>;
  /**
   * Lets writes be tried again that were rejected with a `DiskFullError`, from the first of them on. Throws when something else
   * went wrong meanwhile.
   */
  recover(): void;
}

/** Term and vote on the disk. */
export interface VoteStore {
  /** Puts them on the disk, after all that was handed over before. Resolves when they are there. */
  write(write: VoteWrite): Promise<void>;
}

/** The snapshots on the disk. */
export interface SnapshotStore {
  /**
   * Makes a snapshot of a view, in slices that keep the loop free, and resolves when it is on the disk. The view is closed. Of
   * older ones the newest stays.
   */
  save(
    view: StoreView,
    place: Omit<SnapshotMeta, "size" | "hash">,
  ): Promise<SnapshotMeta>;
  /** A piece of the snapshot of that index; `undefined` when there is none (any more). */
  read(index: number, offset: number): Promise<Uint8Array | undefined>;
  /**
   * Stores a piece of another server's snapshot. Resolves with up to where there is something of it now: its size once it is
   * whole, its hash is right and it is on the disk as one of the own; 0 when what there was had to be thrown away.
   */
  store(piece: StoreChunk): Promise<number>;
  /** Puts a snapshot that is on the disk in the place of the machine's state, in slices. */
  load(snapshot: SnapshotMeta): Promise<void>;
}

/** Where the machine's state is, as far as the disk comes into it. */
export interface StateStore extends Store {
  /** Whether so much waits to be written that nothing may be changed before a {@linkcode StateStore.flush}. */
  readonly mustWait: boolean;
  /** Writes what waits. Rejects with a `DiskFullError` when there is no room; it can be tried again then. */
  flush(): Promise<void>;
  /** Resolves when all changes up to now will outlive a crash of the machine. */
  sync(): Promise<void>;
}

/** The way to the other servers. */
export interface PeerNet {
  /** Sends a message to the server of that id, if there is a way; what is lost is sent again by who needs it. */
  send(to: string, message: Message): void;
  /** Has what was sent leave now, and not only at the end of the turn. */
  flush(): void;
  /**
   * Sends a request to the server of that id and resolves with its answer.
   *
   * Rejects with {@linkcode UnsentError} when nothing of it can have arrived, and with another error when it may have.
   */
  request(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
}

/** A request has not left this server. */
export class UnsentError extends Error {
  /** "UnsentError". */
  override readonly name = "UnsentError";
}
