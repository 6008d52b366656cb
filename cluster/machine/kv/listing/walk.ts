/**
 * Rows of a range in order, few at a time, until so many were read that others should have their turn.
 *
 * @module
 */

import { compareBytes } from "../../../../protocol/bytes.ts";
import type { Row, StoreReader } from "../../store/store.ts";
import { keyAfter } from "../../store/tuple.ts";

/** Rows that are read at first, since a long value may be all that is wanted; then twice as many each time ... */
const FEWEST = 2;

/** ... up to so many. With the longest values they take 8 MiB. */
const MOST = 16;

/** After so many rows it is enough: 2 to 3 ms from a disk (measured). */
export const MOST_ROWS = 512;

/** After so many bytes of rows it is enough. */
export const MOST_BYTES = 2 * 1024 * 1024;

/** A way through the rows from one key to another. */
export class Walk {
  readonly #state: StoreReader;
  readonly #to: Uint8Array;
  /** Where rows come from next that were not read yet ... */
  #from: Uint8Array;
  /** ... and those that were read. */
  #page: readonly Row[] = [];
  #at = 0;
  #isLast = false;
  #wanted = FEWEST;
  #rows = 0;
  #bytes = 0;
  #isTired = false;

  /** Begins at `from`, ends before `to`. */
  constructor(state: StoreReader, from: Uint8Array, to: Uint8Array) {
    this.#state = state;
    this.#from = from;
    this.#to = to;
  }

  /** Whether it stopped because it had read enough, so that there may be more rows. */
  get isTired(): boolean {
    return this.#isTired;
  }

  /** The next row; `undefined` when there is none, or it has read enough. */
  next(): Row | undefined {
    if (this.#at === this.#page.length && !this.#read()) return undefined;
    return this.#page[this.#at++];
  }

  /** Goes on at `key` at the earliest. */
  skip(key: Uint8Array): void {
    while (this.#at < this.#page.length && isBefore(this.#page[this.#at], key)) this.#at++;
    if (compareBytes(this.#from, key) < 0) this.#from = key;
  }

  /** Reads the next rows; false when there are none, or they are left to the next walk. */
  #read(): boolean {
    if (this.#isLast) return false;
    if (this.#rows >= MOST_ROWS || this.#bytes >= MOST_BYTES) {
      this.#isTired = true;
      return false;
    }
    const page = this.#state.range(this.#from, this.#to, this.#wanted);
    this.#page = page;
    this.#at = 0;
    this.#rows += page.length;
    for (const { key, value } of page) this.#bytes += key.length + value.length;
    const last = page.at(-1);
    this.#isLast = page.length < this.#wanted;
    this.#wanted = Math.min(2 * this.#wanted, MOST);
    if (last === undefined) return false;
    this.#from = keyAfter(last.key);
    return true;
  }
}

function isBefore(row: Row | undefined, key: Uint8Array): boolean {
  return row !== undefined && compareBytes(row.key, key) < 0;
}
