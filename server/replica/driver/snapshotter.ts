/**
 * When snapshots of the own machine are made, so that the log does not grow for ever; and how pieces of them travel.
 *
 * @module
 */

import type { Effects, Entry, Input, Raft, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import { entryBytes } from "../../../cluster/raft/log/entry.ts";
import type { SnapshotStore, StateStore } from "./parts.ts";

/** How much has to be applied since the last one. */
export interface SnapshotTrigger {
  /** Entries; this one or the other limit is enough. */
  readonly entries: number;
  /** Bytes of entries. */
  readonly bytes: number;
  /**
   * Besides, bytes of entries for each byte of the last one. A snapshot is all of the state: so each entry pays for a part of it
   * that is as large as itself.
   */
  readonly growth: number;
}

/** What is snapshot, and where to. */
export interface SnapshotterParts {
  readonly raft: Raft;
  readonly store: StateStore;
  readonly snapshots: SnapshotStore;
  /** Bytes of the entries that were applied in an earlier life and are in no snapshot. */
  readonly unsavedBytes: number;
  /** Gives the core an input: one is on the disk, or a piece of one was read, or stored. */
  readonly take: (input: Input) => void;
  /** The disk could not be read. */
  readonly broken: (error: Error) => void;
  /** One that was due could not be made; the next one is tried when as much was applied again. */
  readonly failed: (error: Error) => void;
}

/** The snapshots of one server. */
export class Snapshotter {
  readonly #trigger: SnapshotTrigger;
  readonly #parts: SnapshotterParts;
  /** Index at which the last one was tried. */
  #triedAt = 0;
  #bytes: number;
  #running: Promise<SnapshotMeta | undefined> | undefined;
  #isClosed = false;

  /** Nothing was applied yet in this life. */
  constructor(trigger: SnapshotTrigger, parts: SnapshotterParts) {
    this.#trigger = trigger;
    this.#parts = parts;
    this.#bytes = parts.unsavedBytes;
  }

  /** An entry was applied; again, if it is in the last snapshot. */
  count(entry: Entry): void {
    if (entry.index > (this.#parts.raft.snapshot?.index ?? 0)) this.#bytes += entryBytes(entry);
  }

  /** Begins one if it is time; the machine is at `index`. */
  maybe(index: number): void {
    const { entries, bytes, growth } = this.#trigger;
    const { snapshot } = this.#parts.raft;
    const applied = index - Math.max(this.#triedAt, snapshot?.index ?? 0);
    if (applied < entries && this.#bytes < bytes) return;
    if (this.#bytes < growth * (snapshot?.size ?? 0)) return;
    if (this.#running === undefined) this.now(index).catch(this.#parts.failed);
  }

  /**
   * Makes one now, or waits for the one that is being made. Resolves with `undefined` when there is nothing new; rejects when it
   * could not be made.
   */
  now(index: number): Promise<SnapshotMeta | undefined> {
    return this.#running ??= this.#begin(index);
  }

  /** Reads a piece of one for another server. */
  load({ to, index, offset }: Effects["chunks"][number]): void {
    const { snapshots, take, broken } = this.#parts;
    snapshots.read(index, offset).then(
      (chunk) => take({ type: "chunk-loaded", to, index, offset, chunk }),
      broken,
    );
  }

  /** Stores a piece of another server's. */
  store(piece: NonNullable<Effects["store"]>): void {
    const { snapshots, take, failed } = this.#parts;
    const { snapshot } = piece;
    snapshots.store(piece).then((nextOffset) => {
      if (nextOffset >= snapshot.size) take({ type: "snapshot-received", snapshot });
      else take({ type: "chunk-stored", index: snapshot.index, nextOffset });
    }, (error) => {
      // For which there is no room now: it is sent again.
      failed(error);
      take({ type: "chunk-stored", index: snapshot.index, nextOffset: 0 });
    });
  }

  /** Begins none any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #begin(index: number): Promise<SnapshotMeta | undefined> {
    try {
      return await this.#make(index);
    } finally {
      this.#running = undefined;
    }
  }

  async #make(index: number): Promise<SnapshotMeta | undefined> {
    const { raft, store, snapshots, take } = this.#parts;
    const made = raft.members.at(index);
    const term = raft.log.term(index);
    if (this.#isClosed || made === undefined || term === undefined || raft.applied < index) return;
    if (index <= (raft.snapshot?.index ?? 0)) return;
    this.#triedAt = index;
    this.#bytes = 0;
    const snapshot = await snapshots.save(store.view(), {
      index,
      term,
      configuration: made.configuration,
      configurationIndex: made.index,
    });
    // A newer one may have come from the leader meanwhile.
    if (this.#isClosed || index <= (raft.snapshot?.index ?? 0)) return snapshot;
    take({ type: "snapshot-saved", snapshot });
    return snapshot;
  }
}
