/**
 * The work of one sweep: so many rows, and no more.
 *
 * @module
 */

import type { Context } from "../../module.ts";
import type { Row, Transaction } from "../../store/store.ts";
import type { SegmentId } from "../segment.ts";
import { getTotals, putTotals, type Totals } from "../rows/totals.ts";

/** What a sweep works with. */
export class SweepWork {
  /** The rows, to be read and written. */
  readonly state: Transaction;
  /** When it happens, in milliseconds since 1970. */
  readonly time: number;
  readonly #messages: Context["messages"];
  #totals: Totals | undefined;
  #room: number;

  /** Nothing is done yet of what may be done. */
  constructor(state: Transaction, { time, messages }: Context, rows: number) {
    this.state = state;
    this.time = time;
    this.#messages = messages;
    this.#room = rows;
  }

  /** Whether all is done that may be done at once. */
  get isTired(): boolean {
    return this.#room <= 0;
  }

  /** What there is of all topics; it is kept when the work is finished. */
  get totals(): Totals {
    return this.#totals ??= getTotals(this.state);
  }

  /** Something was looked at, or removed. */
  count(rows = 1): void {
    this.#room -= rows;
  }

  /** Removes the rows between two keys, as far as there is room; whether none is left. `each` is told of them before. */
  clear(range: { readonly from: Uint8Array; readonly to: Uint8Array }, each?: (row: Row) => void) {
    const rows = this.state.range(range.from, range.to, Math.max(0, this.#room));
    for (const row of rows) {
      each?.(row);
      this.state.delete(row.key);
    }
    this.count(rows.length);
    return !this.isTired;
  }

  /** Nothing is needed any more of a segment. */
  drop(segment: SegmentId): void {
    this.#messages?.push({ kind: "drop", segment });
  }

  /** Keeps the totals. */
  finish(): void {
    if (this.#totals !== undefined) putTotals(this.state, this.#totals);
  }
}
