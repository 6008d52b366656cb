/**
 * Brings the machine to where the log is committed, in slices that leave room for everything else.
 *
 * @module
 */

import type { Machine, Result } from "../../../cluster/machine/mod.ts";
import type { Entry, Raft } from "../../../cluster/raft/mod.ts";
import { type Clock, DiskFullError, type Timer } from "../../../cluster/runtime.ts";
import type { LogStore, StateStore } from "./parts.ts";

/** Entries, and bytes of them, that are applied at a time at most; the next ones come in a turn of their own. */
const SLICE = { count: 512, bytes: 1024 * 1024 } as const;

/** What one slice should take at most, in milliseconds. */
const SLICE_MS = 10;

/** Pause before a full disk is tried again. */
const RETRY_MS = 500;

/** What the applying needs. */
export interface ApplierParts {
  readonly clock: Clock;
  readonly log: LogStore;
  /** What entries change, and what is written behind. */
  readonly stores: readonly Pick<StateStore, "mustWait" | "flush">[];
  /** Takes the result of an entry. */
  readonly applied: (entry: Entry, result: Result | undefined) => void;
  /** The machine has come to this entry. */
  readonly reached: (index: number) => void;
  /** It cannot go on. */
  readonly failed: (error: Error) => void;
}

/** The applying of one server. */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #raft: Raft;
  #machine: Machine;
  #target: number;
  /** Entries of the next slice, by how long the last one took: an entry may be one change or a thousand. */
  #count: number = SLICE.count;
  /** Whether it waits: for a later turn, for entries from the disk, for room in the store, for another state. */
  #waits = false;
  /** The state is about to be replaced by one of at least this entry. */
  #awaited = 0;
  #timer: Timer | undefined;
  #closed = false;

  /** Goes on from where the machine is; {@linkcode Applier.to} begins it. */
  constructor(machine: Machine, raft: Raft, parts: ApplierParts) {
    this.#machine = machine;
    this.#raft = raft;
    this.#parts = parts;
    this.#target = machine.context.index;
  }

  /** The machine, which another takes the place of when a snapshot is loaded. */
  get machine(): Machine {
    return this.#machine;
  }

  /** Entries up to here may be applied. */
  to(index: number): void {
    this.#target = Math.max(this.#target, index);
    if (!this.#waits) this.#applySlice();
  }

  /** The state is about to be replaced: nothing is applied until {@linkcode Applier.resume} with a machine at this entry or later. */
  suspend(index: number): void {
    this.#awaited = index;
  }

  /** The state was replaced, and this machine is on it. */
  resume(machine: Machine): void {
    this.#machine = machine;
    if (this.#isSuspended) return;
    this.#target = Math.max(this.#target, machine.context.index);
    this.#parts.reached(machine.context.index);
    this.#goOn(machine);
  }

  /** Applies nothing any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  get #isSuspended(): boolean {
    return this.#machine.context.index < this.#awaited;
  }

  #applySlice(): void {
    const machine = this.#machine;
    const from = machine.context.index + 1;
    if (this.#closed || this.#isSuspended || from > this.#target) return;
    const full = this.#parts.stores.find(({ mustWait }) => mustWait);
    if (full !== undefined) return this.#waitFor(this.#flush(full));
    const count = Math.min(this.#count, this.#target - from + 1);
    const entries = this.#raft.log.slice(from, { count, bytes: SLICE.bytes });
    if (entries !== undefined) {
      this.#waits = true;
      this.#apply(entries);
      return this.#goOnLater(machine);
    }
    this.#waitFor(
      this.#parts.log.load({ from, maxEntries: count, maxBytes: SLICE.bytes }).then((loaded) => {
        if (this.#closed || this.#isSuspended || machine !== this.#machine) return;
        if (loaded.length === 0) {
          throw new RangeError(`Entry ${from} is to be applied and not there`);
        }
        this.#apply(loaded);
      }),
    );
  }

  /** A barrier is the last of a slice, so that the state is seen as it is right after it; what follows comes with the next one. */
  #apply(slice: readonly Entry[]): void {
    const barrier = slice.findIndex(({ type }) => type === "barrier");
    const entries = barrier < 0 ? slice : slice.slice(0, barrier + 1);
    const start = this.#parts.clock.now();
    let results: readonly (Result | undefined)[];
    try {
      results = this.#machine.apply(entries);
    } catch (error) {
      return this.#parts.failed(error as Error);
    }
    for (const [i, entry] of entries.entries()) this.#parts.applied(entry, results[i]);
    this.#pace(entries.length, this.#parts.clock.now() - start);
    this.#parts.reached(this.#machine.context.index);
  }

  /** So many entries took so long. */
  #pace(count: number, tookMs: number): void {
    const fitting = tookMs > SLICE_MS ? Math.floor(count * SLICE_MS / tookMs) : 2 * this.#count;
    this.#count = Math.max(1, Math.min(SLICE.count, fitting));
  }

  #goOnLater(machine: Machine): void {
    if (this.#closed || machine !== this.#machine) return;
    if (machine.context.index >= this.#target) {
      this.#waits = false;
      return;
    }
    this.#timer = this.#parts.clock.setTimer(0, () => this.#goOn(machine));
  }

  #waitFor(done: Promise<void>): void {
    const machine = this.#machine;
    this.#waits = true;
    done.then(() => this.#goOn(machine), (error) => {
      if (!this.#closed && !this.#isSuspended && machine === this.#machine) {
        this.#parts.failed(error);
      }
    });
  }

  /** A full disk may have room again later; meanwhile nothing is applied. */
  async #flush(store: Pick<StateStore, "flush">): Promise<void> {
    try {
      await store.flush();
    } catch (error) {
      if (!(error instanceof DiskFullError)) throw error;
      await new Promise<void>((resolve) => {
        this.#timer = this.#parts.clock.setTimer(RETRY_MS, resolve);
      });
    }
  }

  /** What waited for an earlier state is over. */
  #goOn(machine: Machine): void {
    if (this.#closed || machine !== this.#machine) return;
    this.#waits = false;
    this.#applySlice();
  }
}
