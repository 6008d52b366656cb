/**
 * What one command changes: all of it at one revision, or nothing.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import type { Reader } from "../../../protocol/msgpack/mod.ts";
import type { ChangeKind, NodeChange } from "../change.ts";
import type { Command } from "../module.ts";
import type { Result } from "../result.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { encodeTuple } from "../store/tuple.ts";

/** Number of the module. */
export const KV = 2;

const COUNTS_KEY = encodeTuple([KV, 0]);
const REVISION_BYTES = 8;
const COUNTS_BYTES = 16;

/** A command that may also be one of several in a transaction. */
export interface Change<Arguments> {
  /** As {@linkcode Command.since}. */
  readonly since: number;
  /** As {@linkcode Command.read}. */
  read(reader: Reader): Arguments;
  /** As {@linkcode Command.apply}. */
  perform(edit: Edit, args: Arguments): Result;
}

/** The command that makes a change. */
export function commandOf<Arguments>(change: Change<Arguments>): Command<Arguments> {
  return {
    since: change.since,
    read: (reader) => change.read(reader),
    apply(state, { time, changes }, args) {
      const edit = new Edit(state, time, changes);
      const result = change.perform(edit, args);
      edit.finish();
      return result;
    },
  };
}

/** The revision of the whole store. */
export function revisionOf(state: StoreReader): number {
  const counts = state.get(COUNTS_KEY);
  return counts === undefined ? 0 : getU64(counts, 0);
}

/** How many values expire. */
export function expiringOf(state: StoreReader): number {
  return expiringIn(state.get(COUNTS_KEY));
}

function expiringIn(counts: Uint8Array | undefined): number {
  return counts === undefined || counts.length === REVISION_BYTES
    ? 0
    : getU64(counts, REVISION_BYTES);
}

/** The changes of one command. */
export class Edit {
  /** The rows, to be read. */
  readonly state: Transaction;
  /** When it happens: the clamped clock of the leader, in milliseconds since 1970. */
  readonly time: number;
  /** How many values expire. */
  expiring = 0;
  /** Where changes are told; `undefined` when nobody listens. */
  readonly #changes: NodeChange[] | undefined;
  #rev = 0;
  #hasChanged = false;
  /** What was there before each row was written, when it may have to be undone. */
  #undo: { readonly key: Uint8Array; readonly before: Uint8Array | undefined }[] | undefined;

  /** Nothing has changed yet. */
  constructor(state: Transaction, time: number, changes?: NodeChange[]) {
    this.state = state;
    this.time = time;
    this.#changes = changes;
    const counts = state.get(COUNTS_KEY);
    if (counts === undefined) return;
    this.#rev = getU64(counts, 0);
    this.expiring = expiringIn(counts);
  }

  /** The revision of the store: that of this command once it has changed something. */
  get rev(): number {
    return this.#rev;
  }

  /** Whether somebody wants to know what was there before. */
  get isListenedTo(): boolean {
    return this.#changes !== undefined;
  }

  /** Tells of a node's value that has changed, at the revision of the store; `before` is its text before. */
  tell(kind: ChangeKind, key: Uint8Array, text: Uint8Array, before: Uint8Array | undefined): void {
    this.#changes?.push({ key, kind, rev: this.#rev, text, before });
  }

  /** Something changes. Returns the revision that this has, the same for all that the command changes. */
  revise(): number {
    if (!this.#hasChanged) this.#rev++;
    this.#hasChanged = true;
    return this.#rev;
  }

  /** Puts a row. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#undo?.push({ key, before: this.state.get(key) });
    this.state.put(key, value);
  }

  /** Removes a row. */
  delete(key: Uint8Array): void {
    this.#undo?.push({ key, before: this.state.get(key) });
    this.state.delete(key);
  }

  /** Does all of `work`, which is all that this command does, or nothing if that fails. */
  attempt(work: () => Result): Result {
    const told = this.#changes?.length ?? 0;
    this.#undo = [];
    const result = work();
    if (!result.ok && this.#hasChanged) {
      for (const { key, before } of this.#undo.reverse()) {
        if (before === undefined) this.state.delete(key);
        else this.state.put(key, before);
      }
      this.#changes?.splice(told);
      // So that the counts stay as well.
      this.#hasChanged = false;
    }
    this.#undo = undefined;
    return result;
  }

  /** Keeps the revision with what was changed. */
  finish(): void {
    if (!this.#hasChanged) return;
    const counts = this.state.allocate(this.expiring === 0 ? REVISION_BYTES : COUNTS_BYTES);
    putU64(counts, 0, this.#rev);
    if (this.expiring > 0) putU64(counts, REVISION_BYTES, this.expiring);
    this.state.put(COUNTS_KEY, counts);
  }
}
