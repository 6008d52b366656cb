/**
 * What is left of sessions that have ended and of queues that were given up: swept few rows at a time.
 *
 * @module
 */

import type { Host } from "../module.ts";
import type { Transaction } from "../store/store.ts";
import { integerAt, keyAfter, keysBelow } from "../store/tuple.ts";
import { ANSWERS, LEAVINGS, REQUESTS, rowKey, WATCHES } from "./rows/keys.ts";
import { REQUEST_HEAD_BYTES } from "./rows/requests.ts";
import type { Totals } from "./rows/totals.ts";
import { removeWatchRow } from "./rows/watches.ts";

const NOTHING = new Uint8Array();

/** The tables of which something may be left, by number. */
const TABLES: readonly Uint8Array[] = [ANSWERS, REQUESTS, WATCHES];

/** The keys of all marks. */
const ALL_MARKS = keysBelow(LEAVINGS);

/** Marks that are read at a time. */
const PAGE_ROWS = 64;

/** The rows of a table that have a serial number are left. */
export function leave(state: Transaction, totals: Totals, table: Uint8Array, serial: number): void {
  state.put(rowKey(state, LEAVINGS, serial, TABLES.indexOf(table)), NOTHING);
  totals.leavings++;
}

/** Removes at most so many rows that are left. */
export function sweep(state: Transaction, host: Host, totals: Totals, limit: number): void {
  let room = limit;
  // What was removed before, in this transaction or lately, is stepped over once and not for each.
  for (let { from } = ALL_MARKS; totals.leavings > 0 && room > 0;) {
    const page = state.range(from, ALL_MARKS.to, Math.min(room, PAGE_ROWS));
    const last = page.at(-1);
    if (last === undefined) throw new Error("Expected as many leavings as are counted");
    for (const { key } of page) {
      if (room > 0) room = sweepOne(state, host, totals, key, room);
    }
    from = keyAfter(last.key);
  }
}

/** Removes the rows of one mark, and that once there are no more; returns how much room is left then. */
function sweepOne(
  state: Transaction,
  host: Host,
  totals: Totals,
  mark: Uint8Array,
  room: number,
): number {
  const serial = integerAt(mark, LEAVINGS.length);
  const table = TABLES[integerAt(mark, serial.end).value] as Uint8Array;
  const { from, to } = keysBelow(rowKey(state, table, serial.value));
  const rows = state.range(from, to, room);
  for (const { key, value } of rows) {
    if (table === REQUESTS) {
      totals.pending--;
      totals.pendingBytes -= value.length - REQUEST_HEAD_BYTES;
    }
    if (table === WATCHES) removeWatchRow(state, host, totals, value);
    state.delete(key);
  }
  // With room left, all of it was found.
  if (rows.length === room) return 0;
  state.delete(mark);
  totals.leavings--;
  return room - rows.length - 1;
}
