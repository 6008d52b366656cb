/**
 * The store in memory, for tests, for the simulator and for servers that keep nothing.
 *
 * @module
 */

import { compareBytes } from "../../../protocol/bytes.ts";
import { Slab } from "../../../protocol/slab.ts";
import { SortedMap } from "./sorted_map.ts";
import {
  checkRow,
  type Replacement,
  type Row,
  type Store,
  type StoreView,
  type Transaction,
} from "./store.ts";

/** A key that a transaction wrote, with the value it had before. */
interface Undo {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** A store that is gone with the process. */
export class MemoryStore implements Store {
  #rows = new SortedMap();
  readonly #slab = new Slab();
  #inside = false;

  /** As {@linkcode Store.get}. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  /** As {@linkcode Store.range}. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse = false): Row[] {
    return this.#rows.range(from, to, limit, reverse);
  }

  /** As {@linkcode Store.allocate}. */
  allocate(length: number): Uint8Array {
    return this.#slab.take(length);
  }

  /** As {@linkcode Store.transaction}. */
  transaction<T>(change: (state: Transaction) => T): T {
    if (this.#inside) throw new Error("Expected no transaction inside another one");
    const rows = this.#rows;
    const undo: Undo[] = [];
    this.#inside = true;
    try {
      return change({
        get: (key) => rows.get(key),
        range: (from, to, limit, reverse) => rows.range(from, to, limit, reverse),
        allocate: (length) => this.#slab.take(length),
        put(key, value) {
          checkRow(key, value);
          undo.push({ key, value: rows.set(key, value) });
        },
        delete(key) {
          const value = rows.delete(key);
          if (value !== undefined) undo.push({ key, value });
        },
      });
    } catch (error) {
      for (const { key, value } of undo.reverse()) {
        if (value === undefined) rows.delete(key);
        else rows.set(key, value);
      }
      throw error;
    } finally {
      this.#inside = false;
    }
  }

  /** As {@linkcode Store.view}. */
  view(): StoreView {
    const rows = this.#rows.copy();
    return {
      get: (key) => rows.get(key),
      range: (from, to, limit, reverse) => rows.range(from, to, limit, reverse),
      allocate: (length) => this.#slab.take(length),
      close() {},
    };
  }

  /** As {@linkcode Store.replacement}. */
  replacement(): Replacement {
    const rows = new SortedMap();
    let last: Uint8Array = new Uint8Array();
    return {
      put(key, value) {
        checkRow(key, value);
        if (compareBytes(key, last) <= 0) throw new RangeError("Expected keys in ascending order");
        rows.set(key, value);
        last = key;
      },
      commit: () => {
        this.#rows = rows;
      },
      abort() {},
    };
  }
}
