/**
 * The queries of the last Lamport times, to tell news from repeats (docs/spec/serf.md 11.3).
 *
 * @module
 */

/**
 * What became of a query: it was news, known, from before `minTime`, more than a ring behind the clock, or it found its
 * slot full.
 */
export type QueryVerdict = "new" | "duplicate" | "too-early" | "old" | "full";

/** Most queries of one Lamport time. Serf itself has no bound. */
export const MAX_QUERIES_PER_TIME = 1_024;

/** A ring of `size` slots; the IDs of Lamport time t are in slot t mod size. */
export class QueryRing {
  /** Queries of an earlier time are not wanted. */
  minTime = 0n;
  readonly #slots: ({ readonly ltime: bigint; readonly ids: Set<number> } | undefined)[];
  readonly #size: bigint;

  /** An empty ring. */
  constructor(size: number) {
    this.#slots = new Array(size).fill(undefined);
    this.#size = BigInt(size);
  }

  /**
   * Remembers a query.
   *
   * @param clock the query clock, which has witnessed `ltime`
   */
  add(ltime: bigint, id: number, clock: bigint): QueryVerdict {
    if (ltime < this.minTime) return "too-early";
    if (clock > this.#size && ltime < clock - this.#size) return "old";
    const index = Number(ltime % this.#size);
    const slot = this.#slots[index];
    if (slot?.ltime !== ltime) {
      this.#slots[index] = { ltime, ids: new Set([id]) };
      return "new";
    }
    if (slot.ids.has(id)) return "duplicate";
    if (slot.ids.size >= MAX_QUERIES_PER_TIME) return "full";
    slot.ids.add(id);
    return "new";
  }
}
