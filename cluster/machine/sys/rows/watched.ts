/**
 * Which nodes have watches, in memory: what the rows say, so that a change of any other node reads none of them.
 *
 * @module
 */

import type { Watched, WatchedPlace } from "../../module.ts";
import type { StoreReader } from "../../store/store.ts";
import { keyAfter, textEnds } from "../../store/tuple.ts";
import { ALL_WATCHED, placeOf } from "./keys.ts";

/** Rows that are read at a time. */
const PAGE = 1_000;

/** Byte for byte, so that one text begins with another one as the bytes do. */
const decoder = new TextDecoder("latin1");

/** The places that are watched: nodes, and whole trees. */
export class WatchedPlaces implements Watched {
  readonly #nodes = new Map<string, number>();
  readonly #trees = new Map<string, number>();
  #size = 0;

  /** Those of a state. */
  constructor(state: StoreReader) {
    for (let { from } = ALL_WATCHED;;) {
      const rows = state.range(from, ALL_WATCHED.to, PAGE);
      for (const { key } of rows) this.count(key, 1);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      from = keyAfter(last.key);
    }
  }

  /** How many watches there are. */
  get size(): number {
    return this.#size;
  }

  /** There is a watch more, or one less, by its key. */
  count(key: Uint8Array, change: 1 | -1): void {
    const { tree, node } = placeOf(key);
    const counts = tree ? this.#trees : this.#nodes;
    const name = decoder.decode(node);
    const count = (counts.get(name) ?? 0) + change;
    if (count === 0) counts.delete(name);
    else counts.set(name, count);
    this.#size += change;
  }

  /** Where the watches are that a change of a node is for: at the node itself, and at trees from above it down to it. */
  placesOf(node: Uint8Array): WatchedPlace[] {
    const places: WatchedPlace[] = [];
    const name = decoder.decode(node);
    if (this.#nodes.has(name)) places.push({ tree: false, node });
    if (this.#trees.size === 0) return places;
    for (const end of [0, ...textEnds(node, 0)]) {
      if (this.#trees.has(name.slice(0, end))) {
        places.push({ tree: true, node: node.subarray(0, end) });
      }
    }
    return places;
  }
}
