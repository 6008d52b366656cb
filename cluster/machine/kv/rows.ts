/**
 * How the module `kv` lays out its state.
 *
 *     (2, 0)             the revision: how many commands have changed something
 *     (2, 1, segments)   a value: kind 0, the revision of its last change in 8 bytes, its text
 *
 * What is still to come has its place: a value with an expiry is another kind with 8 bytes more; (2, 2, time, segments) without a
 * value lists those in the order of their time, for the leader to find what is due and propose one command that removes it, so
 * that reads never look at a clock; (2, 3, revision, place) keeps the last changes, several of one command in order, for watches
 * that resume, and the revision's row says which is the first one that is kept.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import type { Failure } from "../result.ts";
import type { Row, StoreReader, Transaction } from "../store/store.ts";
import { encodeTuple, keyAfter, keysBelow } from "../store/tuple.ts";
import { keyOfPath, pathOfKey as pathIn } from "./path.ts";

/** Number of the module. */
export const KV = 2;

/** A node without a value counts as having this revision. */
export const NO_REVISION = 0;

const REVISION_KEY = encodeTuple([KV, 0]);
/** What the keys of all values begin with. */
export const VALUES: Uint8Array = encodeTuple([KV, 1]);

const PLAIN = 0;
const HEAD_BYTES = 9;

/** Rows of a subtree that are read at a time. */
const PAGE = 256;

/** The key of the value at a path. */
export function valueKey(state: StoreReader, path: Uint8Array): Uint8Array | Failure {
  return keyOfPath(state, VALUES, path);
}

/** The path of a key that {@linkcode valueKey} made. */
export function pathOfKey(key: Uint8Array): Uint8Array {
  return pathIn(VALUES, key);
}

/** The revision of the whole store. */
export function revisionOf(state: StoreReader): number {
  const value = state.get(REVISION_KEY);
  return value === undefined ? NO_REVISION : getU64(value, 0);
}

/** Counts a command that changes something, and returns the revision it makes. */
export function nextRevision(state: Transaction): number {
  const rev = revisionOf(state) + 1;
  const value = state.allocate(8);
  putU64(value, 0, rev);
  state.put(REVISION_KEY, value);
  return rev;
}

/** Puts a value under a key of {@linkcode valueKey} and returns the revision that makes. */
export function putValue(state: Transaction, key: Uint8Array, text: Uint8Array): number {
  const rev = nextRevision(state);
  const row = state.allocate(HEAD_BYTES + text.length);
  row[0] = PLAIN;
  putU64(row, 1, rev);
  row.set(text, HEAD_BYTES);
  state.put(key, row);
  return rev;
}

/** The revision of a row's last change. */
export function rowRevision(row: Uint8Array | undefined): number {
  return row === undefined ? NO_REVISION : getU64(row, 1);
}

/** The text of a row's value, as a view of it. */
export function rowText(row: Uint8Array): Uint8Array {
  return row.subarray(HEAD_BYTES);
}

/** Whether there is a value somewhere below a node. */
export function hasChildren(state: StoreReader, key: Uint8Array): boolean {
  const { from, to } = keysBelow(key);
  return state.range(from, to, 1).length > 0;
}

/** The rows of all values below a node, in order. They may be deleted while they are gone through. */
export function* valuesBelow(state: StoreReader, key: Uint8Array): Generator<Row> {
  const { from, to } = keysBelow(key);
  let next = from;
  while (true) {
    const rows = state.range(next, to, PAGE);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    next = keyAfter(last.key);
  }
}
