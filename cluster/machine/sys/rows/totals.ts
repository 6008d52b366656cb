/**
 * What there is of all sessions together. What an ended session has left counts until it is swept.
 *
 * @module
 */

import { getU64, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { TOTALS_KEY } from "./keys.ts";

/** Counts of all sessions. */
export interface Totals {
  /** The last serial number that was given. */
  lastSerial: number;
  /** Sessions. */
  sessions: number;
  /** Server requests, and the bytes of their payloads. */
  pending: number;
  pendingBytes: number;
  /** Watches. */
  watches: number;
  /** Rows that say that something is left to be swept. */
  leavings: number;
  /** Jobs that are not acknowledged, the bytes of their payloads, and how many of them nobody has. */
  jobs: number;
  jobBytes: number;
  waitingJobs: number;
  /** The number of the last job. */
  lastJob: number;
}

const NAMES = [
  "lastSerial",
  "sessions",
  "pending",
  "pendingBytes",
  "watches",
  "leavings",
  "jobs",
  "jobBytes",
  "waitingJobs",
  "lastJob",
] as const satisfies readonly (keyof Totals)[];

/** The totals. */
export function getTotals(state: StoreReader): Totals {
  const row = state.get(TOTALS_KEY);
  const at = (place: number): number => row === undefined ? 0 : getU64(row, 8 * place);
  return {
    lastSerial: at(0),
    sessions: at(1),
    pending: at(2),
    pendingBytes: at(3),
    watches: at(4),
    leavings: at(5),
    jobs: at(6),
    jobBytes: at(7),
    waitingJobs: at(8),
    lastJob: at(9),
  };
}

/** Keeps the totals. */
export function putTotals(state: Transaction, totals: Totals): void {
  const row = state.allocate(8 * NAMES.length);
  NAMES.forEach((name, i) => putU64(row, 8 * i, totals[name]));
  state.put(TOTALS_KEY, row);
}
