/**
 * What a replica needs around it, in memory, on a clock that is moved by hand.
 *
 * @module
 */

import {
  dump,
  Loader,
  Machine,
  MemoryStore,
  type StoreView,
} from "../../../cluster/machine/mod.ts";
import type { Entry, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { LogWrite, StoreChunk, VoteWrite } from "../../../cluster/raft/state/effects.ts";
import { type Clock, DiskFullError } from "../../../cluster/runtime.ts";
import { concatBytes } from "../../../protocol/bytes.ts";
import type {
  LogStore,
  SnapshotStore,
  StateStore,
  VoteStore,
} from "../../../server/replica/driver/parts.ts";
import { applyLog } from "../raft/disk.ts";

/** Bytes of a piece of a snapshot. */
const CHUNK_BYTES = 64;

/** What outlives a replica. */
export class MemoryDisk implements LogStore, VoteStore {
  /** The log and the vote. */
  readonly state = {
    term: 0,
    vote: undefined as string | undefined,
    snapshot: undefined as SnapshotMeta | undefined,
    beforeIndex: 0,
    beforeTerm: 0,
    entries: [] as Entry[],
  };
  /** The bytes of the snapshots by their index. */
  readonly snapshots = new Map<number, Uint8Array>();
  /** How long a write takes. */
  writeMs = 1;
  /** Whether there is no room. */
  isFull = false;
  /** Writes of the log that were done together. */
  groups = 0;
  /** Called when something is to be written. */
  onWrite = (): void => {};
  readonly #clock: Clock;
  #end: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  write(write: LogWrite | VoteWrite): Promise<void> {
    this.onWrite();
    const done = this.#end.then(() => this.#write(write));
    this.#end = done.catch(() => {});
    return done;
  }

  load({ from, maxEntries }: { from: number; maxEntries: number }): Promise<readonly Entry[]> {
    const start = from - this.state.beforeIndex - 1;
    return Promise.resolve(start < 0 ? [] : this.state.entries.slice(start, start + maxEntries));
  }

  trim(index: number): Promise<void> {
    const { state } = this;
    const count = index - state.beforeIndex;
    if (count <= 0) return Promise.resolve();
    state.beforeTerm = (state.entries[count - 1] as Entry).term;
    state.entries = state.entries.slice(count);
    state.beforeIndex = index;
    return Promise.resolve();
  }

  recover(): void {}

  async #write(write: LogWrite | VoteWrite): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.setTimer(this.writeMs, resolve));
    if (this.isFull) throw new DiskFullError("log");
    this.groups++;
    if ("entries" in write) {
      applyLog(this.state, write, write.entries.length);
    } else {
      this.state.term = write.term;
      this.state.vote = write.vote;
    }
  }
}

/** A store in memory that has room until a test says otherwise. */
export class RoomyStore extends MemoryStore implements StateStore {
  /** What {@linkcode RoomyStore.flush} waits for; no more may be changed meanwhile. */
  wait: Promise<void> | undefined;

  get mustWait(): boolean {
    return this.wait !== undefined;
  }

  async flush(): Promise<void> {
    await this.wait;
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }
}

/** Snapshots on a {@linkcode MemoryDisk}. */
export class MemorySnapshots implements SnapshotStore {
  readonly #disk: MemoryDisk;
  readonly #store: MemoryStore;
  #received: { hash: string; pieces: Uint8Array[]; length: number } | undefined;

  constructor(disk: MemoryDisk, store: MemoryStore) {
    this.#disk = disk;
    this.#store = store;
  }

  save(view: StoreView, place: Omit<SnapshotMeta, "size" | "hash">): Promise<SnapshotMeta> {
    const pieces: Uint8Array[] = [];
    const blocks = dump(view);
    let next = blocks.next();
    for (; !next.done; next = blocks.next()) pieces.push(next.value);
    view.close();
    const { size, hash } = next.value;
    const snapshot = { ...place, size, hash };
    this.#disk.snapshots.set(place.index, concatBytes(pieces));
    this.#disk.state.snapshot = snapshot;
    return Promise.resolve(snapshot);
  }

  read(index: number, offset: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(
      this.#disk.snapshots.get(index)?.subarray(offset, offset + CHUNK_BYTES),
    );
  }

  store({ snapshot, offset, chunk }: StoreChunk): Promise<number> {
    const { index, hash, size } = snapshot;
    if (offset === 0) this.#received = { hash, pieces: [], length: 0 };
    const received = this.#received;
    if (received?.hash !== hash || received.length !== offset) return Promise.resolve(0);
    received.pieces.push(chunk);
    received.length += chunk.length;
    if (received.length >= size) this.#disk.snapshots.set(index, concatBytes(received.pieces));
    return Promise.resolve(received.length);
  }

  load(snapshot: SnapshotMeta): Promise<void> {
    const loader = new Loader(this.#store, snapshot);
    loader.push(this.#disk.snapshots.get(snapshot.index) as Uint8Array);
    loader.finish();
    return Promise.resolve();
  }
}

/** The machine on a store. */
export function machineOn(store: MemoryStore): Machine {
  return new Machine(store);
}
