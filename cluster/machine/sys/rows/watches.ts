/**
 * The watches of sessions, to be found by session and by node.
 *
 * @module
 */

import { getU64, putU64 } from "../../../../protocol/bytes.ts";
import type { Host, WatchedPlace } from "../../module.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { integerAt } from "../../store/tuple.ts";
import { rowKey, watchedKey, WATCHES, watchesOf, watchKey } from "./keys.ts";
import { SESSION_BYTES } from "../limits.ts";
import type { Session } from "./session.ts";
import type { Totals } from "./totals.ts";

/** What is watched, and how it is told. */
export interface WatchForm {
  /** All below the node, too. */
  readonly tree: boolean;
  /** The values before, too. */
  readonly old: boolean;
  /** All changes of one revision together. */
  readonly coalesce: boolean;
}

/** A watch of a node that was found. */
export interface FoundWatch extends WatchForm {
  /** The session. */
  readonly session: Uint8Array;
  /** Its serial number: another than that of the session when that has ended. */
  readonly serial: number;
  /** The number of the watch among those of the session. */
  readonly watch: number;
}

const OLD = 1;
const COALESCE = 2;

/** The key of a watch, by the node and the session. */
export function keyOfWatch(
  state: StoreReader,
  node: Uint8Array,
  { tree, old, coalesce }: WatchForm,
  { serial }: Session,
): Uint8Array {
  const form = (old ? OLD : 0) | (coalesce ? COALESCE : 0);
  return watchKey(state, watchedKey(tree, node), serial, form);
}

/** The number of the watch at a key; `undefined` when there is none. */
export function watchAt(state: StoreReader, key: Uint8Array): number | undefined {
  const row = state.get(key);
  return row && getU64(row, SESSION_BYTES);
}

/** Keeps a watch. */
export function putWatch(
  state: Transaction,
  host: Host,
  totals: Totals,
  session: Session,
  key: Uint8Array,
): void {
  const row = state.allocate(SESSION_BYTES + 8);
  row.set(session.id);
  putU64(row, SESSION_BYTES, ++session.lastWatch);
  state.put(key, row);
  state.put(rowKey(state, WATCHES, session.serial, session.lastWatch), key);
  session.watches++;
  totals.watches++;
  host.watched.count(key, 1);
}

/** Removes a watch of a session. Returns whether there was one. */
export function removeWatch(
  state: Transaction,
  host: Host,
  totals: Totals,
  session: Session,
  watch: number,
): boolean {
  const key = rowKey(state, WATCHES, session.serial, watch);
  const row = state.get(key);
  if (row === undefined) return false;
  state.delete(key);
  removeWatchRow(state, host, totals, row);
  session.watches--;
  return true;
}

/** Removes the row by which a watch is found. */
export function removeWatchRow(
  state: Transaction,
  host: Host,
  totals: Totals,
  key: Uint8Array,
): void {
  state.delete(key);
  totals.watches--;
  host.watched.count(key, -1);
}

/** The watches of a node, or those of it and all below it, at most `limit`. */
export function watchesAt(
  state: StoreReader,
  { tree, node }: WatchedPlace,
  limit: number,
): FoundWatch[] {
  const head = watchedKey(tree, node);
  const { from, to } = watchesOf(head);
  return state.range(from, to, limit).map(({ key, value }) => {
    const { value: serial, end } = integerAt(key, head.length);
    const { value: form } = integerAt(key, end);
    return {
      tree,
      old: (form & OLD) !== 0,
      coalesce: (form & COALESCE) !== 0,
      session: value.subarray(0, SESSION_BYTES),
      serial,
      watch: getU64(value, SESSION_BYTES),
    };
  });
}
