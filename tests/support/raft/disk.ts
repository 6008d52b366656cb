/**
 * The disk of a simulated server, by what the core asks to be written: what was not reported as written may be gone after a
 * crash, all of it, none, or its beginning.
 *
 * @module
 */

import type { Entry, Restored, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { LogWrite, VoteWrite } from "../../../cluster/raft/state/effects.ts";
import type { Random } from "../../../cluster/runtime.ts";

/** What survives a crash. */
export interface DurableState {
  term: number;
  vote: string | undefined;
  snapshot: SnapshotMeta | undefined;
  beforeIndex: number;
  beforeTerm: number;
  entries: Entry[];
}

/** One server's disk. Term and vote, and the log, are files of their own: neither waits for the other. */
export class SimulatedDisk {
  /** What is safe. */
  readonly durable: DurableState = {
    term: 0,
    vote: undefined,
    snapshot: undefined,
    beforeIndex: 0,
    beforeTerm: 0,
    entries: [],
  };
  readonly #votes: VoteWrite[] = [];
  readonly #log: LogWrite[] = [];

  /** Whether the oldest write of the log that is not done is one of a snapshot. */
  get replaces(): boolean {
    return this.#log[0]?.reset !== undefined;
  }

  /** Begins to write. */
  queueVote(write: VoteWrite): void {
    this.#votes.push(write);
  }

  /** Begins to write. */
  queueLog(write: LogWrite): void {
    this.#log.push(write);
  }

  /** The oldest write is done; returns its number. */
  finishVote(): number | undefined {
    const write = this.#votes.shift();
    if (write !== undefined) this.#applyVote(write);
    return write?.seq;
  }

  /** The oldest writes, up to `count`, are done as one group; returns the number of the last. */
  finishLog(count: number): number | undefined {
    const group = this.#log.splice(0, count);
    for (const write of group) applyLog(this.durable, write, write.entries.length);
    return group.at(-1)?.seq;
  }

  /** The snapshot of the own machine is whole. */
  saveSnapshot(snapshot: SnapshotMeta): void {
    this.durable.snapshot = snapshot;
  }

  /** Entries up to `index` go, once a snapshot covers them. */
  trim(index: number): void {
    const { durable } = this;
    const count = index - durable.beforeIndex;
    if (count <= 0) return;
    durable.beforeTerm = (durable.entries[count - 1] as Entry).term;
    durable.entries = durable.entries.slice(count);
    durable.beforeIndex = index;
  }

  /** Loses what was not finished, or a part of it; the last write that is not lost may be torn. */
  crash(random: Random): void {
    const survive = (count: number): number => Math.floor(random.float() * (count + 1));
    for (const write of this.#votes.splice(0, survive(this.#votes.length))) this.#applyVote(write);
    for (const write of this.#log.splice(0, survive(this.#log.length))) {
      applyLog(this.durable, write, write.entries.length);
    }
    const torn = this.#log[0];
    // A snapshot takes effect as a whole.
    if (torn !== undefined && torn.reset === undefined && random.float() < 0.5) {
      const kept = survive(torn.entries.length - 1);
      if (kept > 0) applyLog(this.durable, torn, kept);
    }
    const received = this.#log.findLast(({ reset }) => reset !== undefined)?.reset?.snapshot;
    if (received !== undefined) this.#find(received);
    this.#votes.length = 0;
    this.#log.length = 0;
  }

  /** A snapshot was on the disk, and maybe in the machine, before the log was to begin after it: a start makes up for that. */
  #find(snapshot: SnapshotMeta): void {
    const { durable } = this;
    const { index, term } = snapshot;
    if (durable.entries[index - durable.beforeIndex - 1]?.term === term) {
      durable.snapshot = snapshot;
    } else {
      applyLog(durable, { seq: 0, reset: { snapshot, keepSuffix: false }, entries: [] }, 0);
    }
  }

  /** What a start finds, with a machine that has applied so much. */
  restored(applied: number): Restored {
    const { term, vote, snapshot, beforeIndex, beforeTerm, entries } = this.durable;
    return { term, vote, snapshot, beforeIndex, beforeTerm, entries: [...entries], applied };
  }

  #applyVote({ term, vote }: VoteWrite): void {
    this.durable.term = term;
    this.durable.vote = vote;
  }
}

/** Carries out a write of the log, of which `count` entries come through. */
export function applyLog(
  state: Pick<DurableState, "beforeIndex" | "beforeTerm" | "entries" | "snapshot">,
  { reset, truncateFrom, entries }: LogWrite,
  count: number,
): void {
  if (reset !== undefined) {
    const { index, term } = reset.snapshot;
    state.snapshot = reset.snapshot;
    state.entries = reset.keepSuffix ? state.entries.slice(index - state.beforeIndex) : [];
    state.beforeIndex = index;
    state.beforeTerm = term;
  }
  if (truncateFrom !== undefined) {
    state.entries = state.entries.slice(0, truncateFrom - state.beforeIndex - 1);
  }
  for (const entry of entries.slice(0, count)) state.entries.push(entry);
}
