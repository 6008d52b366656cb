/**
 * Changes that are in memory, above rows that are somewhere else.
 *
 * @module
 */

import { compareBytes } from "../../../protocol/bytes.ts";
import type { Row, StoreReader } from "../../../cluster/machine/mod.ts";
import { SortedMap } from "../../../cluster/machine/store/sorted_map.ts";
import { keyAfter } from "../../../cluster/machine/store/tuple.ts";

/** Rows that can be read. */
export type Rows = Pick<StoreReader, "get" | "range">;

/** Stands for the value of a key that was deleted. */
export const DELETED: Uint8Array = new Uint8Array();

/** Most rows that are read at once to be merged. */
const LARGEST_PAGE = 1_024;

/** What was put and deleted since some moment. */
export class Layer {
  readonly #changes = new SortedMap();
  #count = 0;
  #bytes = 0;

  /** Keys that were put or deleted. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a key, {@linkcode DELETED}, or `undefined` when it was not changed. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#changes.get(key);
  }

  /** Changes as `StoreReader.range` gives rows; the value of a deleted key is {@linkcode DELETED}. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse?: boolean): Row[] {
    return this.#changes.range(from, to, limit, reverse);
  }

  /** Changes a key and returns what {@linkcode Layer.get} said before. */
  set(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
    const before = this.#changes.set(key, value);
    if (before === undefined) {
      this.#count++;
      this.#bytes += key.length;
    }
    this.#bytes += value.length - (before?.length ?? 0);
    return before;
  }

  /** Takes a change back: {@linkcode Layer.get} says `before` again. */
  restore(key: Uint8Array, before: Uint8Array | undefined): void {
    if (before !== undefined) {
      this.set(key, before);
      return;
    }
    const value = this.#changes.delete(key);
    if (value === undefined) return;
    this.#count--;
    this.#bytes -= key.length + value.length;
  }

  /** The changes as they are now. */
  copy(): Rows {
    return this.#changes.copy();
  }
}

/** The rows of `base` with the changes of `layers`, of which the last one counts most. */
export function stacked(base: Rows, layers: readonly Rows[]): Rows {
  return layers.reduce<Rows>((below, layer) => ({
    get(key) {
      const value = layer.get(key);
      return value === undefined ? below.get(key) : value === DELETED ? undefined : value;
    },
    range: (from, to, limit, reverse = false) => merged(layer, below, from, to, limit, reverse),
  }), base);
}

/** At most `limit` rows of `below` with the changes of `layer`. */
function merged(
  layer: Rows,
  below: Rows,
  from: Uint8Array,
  to: Uint8Array | undefined,
  limit: number,
  reverse: boolean,
): Row[] {
  const rows: Row[] = [];
  let [low, high] = [from, to];
  // Where much was deleted the pages grow: else each would bring no more rows than are missing.
  for (let least = 1; rows.length < limit; least *= 2) {
    const wanted = Math.min(Math.max(least, limit - rows.length), LARGEST_PAGE);
    const changes = layer.range(low, high, wanted, reverse);
    const others = below.range(low, high, wanted, reverse);
    const last = mergeInto(rows, changes, others, wanted, limit, reverse);
    if (last === undefined) return rows;
    if (reverse) high = last;
    else low = keyAfter(last);
  }
  return rows;
}

/** Merges two pages and returns the last key that came of it, `undefined` when nothing can follow. */
function mergeInto(
  rows: Row[],
  changes: readonly Row[],
  others: readonly Row[],
  wanted: number,
  limit: number,
  reverse: boolean,
): Uint8Array | undefined {
  let last: Uint8Array | undefined;
  let [i, j] = [0, 0];
  while (rows.length < limit) {
    const [change, other] = [changes[i], others[j]];
    // What follows a full page is not known before the next one.
    if (change === undefined && changes.length === wanted) return last;
    if (other === undefined && others.length === wanted) return last;
    if (change === undefined && other === undefined) return undefined;
    const order = change === undefined
      ? 1
      : other === undefined
      ? -1
      : compareBytes(change.key, other.key) * (reverse ? -1 : 1);
    const next = (order <= 0 ? change : other) as Row;
    if (order <= 0) i++;
    if (order >= 0) j++;
    if (next.value !== DELETED) rows.push(next);
    last = next.key;
  }
  return last;
}
