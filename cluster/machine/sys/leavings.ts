/**
 * What is left of sessions that have ended and of queues that were given up: swept few rows at a time.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import type { Row, Transaction } from "../store/store.ts";
import { integerAt, keyAfter, keysBelow } from "../store/tuple.ts";
import { type Desk, handOn } from "./jobs.ts";
import { JOB_ROWS } from "./limits.ts";
import { ANSWERS, JOBS, LEAVINGS, REQUESTS, rowKey, WATCHES } from "./rows/keys.ts";
import { REQUEST_HEAD_BYTES } from "./rows/requests.ts";
import type { Session } from "./rows/session.ts";
import type { Totals } from "./rows/totals.ts";
import { removeWatchRow } from "./rows/watches.ts";

const NOTHING = new Uint8Array();

/** The tables of which something may be left, by number. */
const TABLES: readonly Uint8Array[] = [ANSWERS, REQUESTS, WATCHES, JOBS];

/** The keys of all marks. */
const ALL_MARKS = keysBelow(LEAVINGS);

/** Marks that are read at a time. */
const PAGE_ROWS = 64;

/** The rows of a table that have a serial number are left. */
export function leave(
  state: Transaction,
  totals: Totals,
  table: Uint8Array,
  serial: number,
  more: Uint8Array = NOTHING,
): void {
  state.put(rowKey(state, LEAVINGS, serial, TABLES.indexOf(table)), more);
  totals.leavings++;
}

/** The jobs of a session are left: they are handed on before its server requests are swept, whose number is the higher one. */
export function leaveJobs(state: Transaction, totals: Totals, { serial, queue }: Session): void {
  const more = state.allocate(8);
  putU64(more, 0, queue);
  leave(state, totals, JOBS, serial, more);
}

/** Removes at most so many rows that are left. */
export function sweep(desk: Desk, limit: number): void {
  const { state, totals } = desk;
  let room = limit;
  // What was removed before, in this transaction or lately, is stepped over once and not for each.
  for (let { from } = ALL_MARKS; totals.leavings > 0 && room > 0;) {
    const page = state.range(from, ALL_MARKS.to, Math.min(room, PAGE_ROWS));
    const last = page.at(-1);
    if (last === undefined) throw new Error("Expected as many leavings as are counted");
    for (const mark of page) {
      if (room > 0) room = sweepOne(desk, mark, room);
    }
    from = keyAfter(last.key);
  }
}

/** Removes the rows of one mark, and that once there are no more; returns how much room is left then. */
function sweepOne(desk: Desk, mark: Row, room: number): number {
  const { state, host, totals } = desk;
  const serial = integerAt(mark.key, LEAVINGS.length);
  const table = TABLES[integerAt(mark.key, serial.end).value] as Uint8Array;
  if (table === JOBS) return sweepJobs(desk, mark, serial.value, room);
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
  state.delete(mark.key);
  totals.leavings--;
  return room - rows.length - 1;
}

function sweepJobs(desk: Desk, { key, value }: Row, serial: number, room: number): number {
  const limit = Math.ceil(room / JOB_ROWS);
  const count = handOn(desk, serial, getU64(value, 0), limit);
  if (count === limit) return 0;
  desk.state.delete(key);
  desk.totals.leavings--;
  return Math.max(0, room - count * JOB_ROWS - 1);
}
