/**
 * The server requests that wait for a session to acknowledge them.
 *
 * @module
 */

import { getU64, putU64 } from "../../../../protocol/bytes.ts";
import type { Row, StoreReader, Transaction } from "../../store/store.ts";
import { integerAt, keyAfter, keysBelow } from "../../store/tuple.ts";
import { REQUESTS, rowKey } from "./keys.ts";
import type { Session } from "./session.ts";
import type { Totals } from "./totals.ts";

/** What stands before the payload: when the request was made. */
export const REQUEST_HEAD_BYTES = 8;

/** A request of a server to a session. */
export interface ServerRequest {
  /** Its id, from 1. */
  readonly id: number;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
  /** What it says; a view of the state. */
  readonly payload: Uint8Array;
}

/** The row of one, whose payload is told by its length and the bytes behind its head. */
export function requestRow(
  state: StoreReader,
  { queue }: Pick<Session, "queue">,
  id: number,
): Uint8Array | undefined {
  return state.get(rowKey(state, REQUESTS, queue, id));
}

/** Adds one behind the others. */
export function putRequest(
  state: Transaction,
  totals: Totals,
  session: Session,
  payload: Uint8Array,
  time: number,
): void {
  const row = state.allocate(REQUEST_HEAD_BYTES + payload.length);
  putU64(row, 0, time);
  row.set(payload, REQUEST_HEAD_BYTES);
  putRow(state, totals, session, ++session.lastRequest, row);
}

/** Adds the row of one. */
export function putRow(
  state: Transaction,
  totals: Totals,
  session: Session,
  id: number,
  row: Uint8Array,
): void {
  state.put(rowKey(state, REQUESTS, session.queue, id), row);
  const bytes = row.length - REQUEST_HEAD_BYTES;
  session.pending++;
  session.pendingBytes += bytes;
  totals.pending++;
  totals.pendingBytes += bytes;
}

/** Removes the first ones up to an id, at most `limit`. Returns how many. */
export function removeRequests(
  state: Transaction,
  totals: Totals,
  session: Session,
  upTo: number,
  limit: number,
): number {
  if (session.pending === 0) return 0;
  const { from } = keysBelow(rowKey(state, REQUESTS, session.queue));
  const to = keyAfter(rowKey(state, REQUESTS, session.queue, upTo));
  const rows = state.range(from, to, limit);
  for (const { key, value } of rows) {
    state.delete(key);
    const bytes = value.length - REQUEST_HEAD_BYTES;
    session.pending--;
    session.pendingBytes -= bytes;
    totals.pending--;
    totals.pendingBytes -= bytes;
  }
  return rows.length;
}

/** The first ones from an id on, at most `limit`. */
export function pendingRequests(
  state: StoreReader,
  { queue, pending }: Session,
  from: number,
  limit: number,
): ServerRequest[] {
  if (pending === 0) return [];
  const all = rowKey(state, REQUESTS, queue);
  const rows = state.range(rowKey(state, REQUESTS, queue, from), keysBelow(all).to, limit);
  return rows.map((row) => requestOf(row, all.length));
}

function requestOf({ key, value }: Row, at: number): ServerRequest {
  return {
    id: integerAt(key, at).value,
    createdAt: getU64(value, 0),
    payload: value.subarray(REQUEST_HEAD_BYTES),
  };
}
