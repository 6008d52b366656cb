/**
 * The seam between the machine and the place where its state is: rows of bytes in the order of their keys.
 *
 * Here is one in memory; a server has one on its disk. Both pass the same tests. All calls are synchronous. A byte string that
 * is given to a store belongs to it, and one that comes from it must not be changed.
 *
 * @module
 */

import { MAX_KEY_BYTES } from "./tuple.ts";

/** Longest value, in bytes. */
export const MAX_VALUE_BYTES = 2 * 1024 * 1024;

/** One key with its value. */
export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Reads rows. */
export interface StoreReader {
  /** The value of a key. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * At most `limit` rows whose keys are at least `from` and less than `to` (without it, all from there on), the least first or,
   * with `reverse`, the greatest first.
   */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse?: boolean): Row[];
  /** `length` zeros, to be filled as a key or a value: cheaper than a buffer of their own. */
  allocate(length: number): Uint8Array;
}

/** Reads and writes rows, and reads what it has written. */
export interface Transaction extends StoreReader {
  /** Sets the value of a key. Throws a `RangeError` for a key or value that is too long. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Removes a key if it is there. */
  delete(key: Uint8Array): void;
}

/** The rows as they were at one moment, whatever happens after it. */
export interface StoreView extends StoreReader {
  /** Gives up the view. */
  close(): void;
}

/** Rows that are to take the place of all others. */
export interface Replacement {
  /** Adds a row. Keys must come in ascending order. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Replaces all rows of the store at once. */
  commit(): void;
  /** Gives it up; the store stays as it is. */
  abort(): void;
}

/** An ordered byte store. */
export interface Store extends StoreReader {
  /**
   * Runs `change` on the store and returns what it returns. All that it wrote takes effect when it returns, and nothing of it
   * when it throws. One at a time: an `Error` inside another one.
   */
  transaction<T>(change: (state: Transaction) => T): T;
  /** A view of the rows as they are now, between transactions; it must be closed. */
  view(): StoreView;
  /** Begins a replacement; it must be committed, between transactions, or aborted. */
  replacement(): Replacement;
}

/** Throws a `RangeError` for a row that no store takes. */
export function checkRow(key: Uint8Array, value: Uint8Array): void {
  if (key.length === 0 || key.length > MAX_KEY_BYTES) {
    throw new RangeError(`Expected a key of 1 to ${MAX_KEY_BYTES} bytes, got ${key.length}`);
  }
  if (value.length > MAX_VALUE_BYTES) {
    throw new RangeError(`Value takes ${value.length} of ${MAX_VALUE_BYTES} bytes`);
  }
}
