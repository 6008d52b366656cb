/**
 * What the watches of a hub look at: the store of a server, or what servers tell an agent that has none.
 *
 * @module
 */

import type { Problem } from "../../protocol/kv/problem.ts";
import { Walk } from "../machine/kv/listing/walk.ts";
import { revisionOf, rowRevision, rowText } from "../machine/kv/mod.ts";
import type { NodeChange, Store } from "../machine/mod.ts";
import { keyAfter } from "../machine/store/tuple.ts";
import type { Place } from "./index.ts";
import type { ChangeRing, Cursor } from "./ring.ts";

/** A page of values ends with the one that makes it so many bytes. */
const PAGE_BYTES = 64 * 1024;

/** A value that is there. */
export interface Present {
  /** Its key in the store. */
  readonly key: Uint8Array;
  /** Its text. */
  readonly text: Uint8Array;
  /** The revision of its last change. */
  readonly rev: number;
}

/** Values that are there at one revision, in the order of their keys. */
export interface Page {
  readonly values: readonly Present[];
  /** Where the next page begins; `undefined` when there is none. */
  readonly next: Uint8Array | undefined;
  /** The revision. */
  readonly rev: number;
}

/** A page, and where in the ring the changes end that it shows. */
export interface PlacedPage extends Page {
  readonly until: Cursor;
}

/** What watches look at. */
export interface WatchSource {
  /** The revision up to which all changes are told. */
  readonly rev: number;
  /** The first page of the keys from one up to another; `undefined` when it is to be asked for again. */
  page(from: Uint8Array, to: Uint8Array): Promise<PlacedPage | undefined>;
  /** Of an agent that keeps no state. */
  readonly remote?: RemoteSource;
}

/** Changes that come from elsewhere. */
export interface RemoteSource {
  /**
   * Why nobody can begin to watch a place, `undefined` when changes after {@linkcode WatchSource.rev} come to whoever does at once.
   * A promise resolves as soon as that is so.
   */
  begin(
    place: Place,
    fromRev: number | undefined,
  ): Problem | undefined | Promise<Problem | undefined>;
  /** Changes of a place from a revision on; `undefined` when they are not kept any more. */
  past(place: Place, fromRev: number): Promise<Past | undefined>;
}

/** Changes of earlier revisions. */
export interface Past {
  readonly changes: readonly NodeChange[];
  /** All up to this one are there. */
  readonly rev: number;
}

/** The store of a server, whose changes are in `ring`. */
export function storeSource(store: Store, ring: ChangeRing): WatchSource {
  return {
    get rev() {
      return revisionOf(store);
    },
    page: (from, to) => Promise.resolve({ ...pageOf(store, from, to), until: ring.end() }),
  };
}

/** The values of a store from one key up to another, as far as a page goes. */
function pageOf(store: Store, from: Uint8Array, to: Uint8Array): Page {
  const rev = revisionOf(store);
  const walk = new Walk(store, from, to);
  const values: Present[] = [];
  for (let bytes = 0, last = from;;) {
    const row = bytes < PAGE_BYTES ? walk.next() : undefined;
    if (row === undefined) {
      const isWhole = bytes < PAGE_BYTES && !walk.isTired;
      return { values, next: isWhole ? undefined : keyAfter(last), rev };
    }
    values.push({ key: row.key, text: rowText(row.value), rev: rowRevision(row.value) });
    bytes += row.key.length + row.value.length;
    last = row.key;
  }
}
