/**
 * What is left of sessions that have ended and of queues that were given up: swept few rows at a time.
 *
 * @module
 */

import type { Host } from "../module.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { integerAt, keysBelow } from "../store/tuple.ts";
import {
  ALL_LEAVINGS,
  ANSWERS,
  LEAVINGS_BYTES,
  leavingsKey,
  REQUESTS,
  rowKey,
  WATCHES,
} from "./rows/keys.ts";
import { REQUEST_HEAD_BYTES } from "./rows/requests.ts";
import type { Totals } from "./rows/totals.ts";
import { removeWatchRow } from "./rows/watches.ts";

const NOTHING = new Uint8Array();

/** The rows of a serial number are left. */
export function leave(state: Transaction, totals: Totals, serial: number): void {
  state.put(leavingsKey(state, serial), NOTHING);
  totals.leavings++;
}

/** Removes at most so many rows that are left. */
export function sweep(state: Transaction, host: Host, totals: Totals, limit: number): void {
  let room = limit;
  while (totals.leavings > 0 && room > 0) {
    const serial = firstLeft(state);
    for (const table of [ANSWERS, REQUESTS, WATCHES]) {
      const { from, to } = keysBelow(rowKey(state, table, serial));
      const rows = room > 0 ? state.range(from, to, room) : [];
      for (const { key, value } of rows) {
        if (table === REQUESTS) {
          totals.pending--;
          totals.pendingBytes -= value.length - REQUEST_HEAD_BYTES;
        }
        if (table === WATCHES) removeWatchRow(state, host, totals, value);
        state.delete(key);
      }
      room -= rows.length;
    }
    // With room left, all of it was found.
    if (room === 0) return;
    state.delete(leavingsKey(state, serial));
    totals.leavings--;
    room--;
  }
}

function firstLeft(state: StoreReader): number {
  const [first] = state.range(ALL_LEAVINGS.from, ALL_LEAVINGS.to, 1);
  if (first === undefined) throw new Error("Expected as many leavings as are counted");
  return integerAt(first.key, LEAVINGS_BYTES).value;
}
