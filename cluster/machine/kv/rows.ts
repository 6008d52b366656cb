/**
 * How the module `kv` lays out its state.
 *
 *     (2, 0)                   the revision, how many commands have changed something, in 8 bytes; if values expire, how many
 *                              in 8 more
 *     (2, 1, segments)         a value: kind 0, the revision of its last change in 8 bytes, its text
 *                              one that expires: kind 1, the revision, when it is due in 8 bytes, its text
 *     (2, 2, time, segments)   nothing: the values that expire, in the order of their times
 *
 * A time is in milliseconds since 1970, by the leaders' clamped clock. A value is there until a command has removed it, due or
 * not, so that reads never look at a clock; the leader finds what is due by the second table, and proposes that command. A value
 * that is set or deleted takes its row out of that table.
 *
 * There are no rows of past changes: each SET would write twice as much. Each server keeps the last ones in its memory, where
 * this file tells of them.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import type { Failure } from "../result.ts";
import type { Row, StoreReader } from "../store/store.ts";
import { encodeTuple, integerAt, keyAfter, keysBelow } from "../store/tuple.ts";
import { type Edit, KV } from "./edit.ts";
import { keyOfPath, pathOfKey as pathIn } from "./path.ts";

/** A node without a value counts as having this revision. */
export const NO_REVISION = 0;

/** When a value is due that never is. */
export const NEVER = 0;

/** What the keys of all values begin with. */
export const VALUES: Uint8Array = encodeTuple([KV, 1]);
const TIMES = encodeTuple([KV, 2]);

const PLAIN = 0;
const EXPIRING = 1;
const HEAD_BYTES = 9;
const EXPIRING_HEAD_BYTES = HEAD_BYTES + 8;
const NOTHING = new Uint8Array();

/** Rows of a subtree that are read at a time. */
const PAGE = 256;

/** The key of the value at a path. */
export function valueKey(
  state: Pick<StoreReader, "allocate">,
  path: Uint8Array,
): Uint8Array | Failure {
  return keyOfPath(state, VALUES, path);
}

/** The path of a key that {@linkcode valueKey} made. */
export function pathOfKey(key: Uint8Array): Uint8Array {
  return pathIn(VALUES, key);
}

/**
 * The row at a key that is about to be written anew, as {@linkcode putValue} needs it: where nothing expires and nobody listens it
 * does not.
 */
export function rowToReplace(edit: Edit, key: Uint8Array): Uint8Array | undefined {
  return edit.expiring === 0 && !edit.isListenedTo ? undefined : edit.state.get(key);
}

/** Puts a value that is due at `due` in the place of the row `before`, and returns the revision. */
export function putValue(
  edit: Edit,
  key: Uint8Array,
  before: Uint8Array | undefined,
  text: Uint8Array,
  due = NEVER,
): number {
  const rev = edit.revise();
  putRow(edit, key, before, { rev, text, due });
  edit.tell("set", key, text, before && rowText(before));
  return rev;
}

/** Removes the value in a row. */
export function removeValue(
  edit: Edit,
  key: Uint8Array,
  row: Uint8Array,
  kind: "del" | "expire",
): void {
  edit.revise();
  setTime(edit, key, rowDue(row), NEVER);
  edit.delete(key);
  edit.tell(kind, key, NOTHING, rowText(row));
}

/** Changes when the value in a row is due. Its own revision stays: the value is the same. */
export function putTime(edit: Edit, key: Uint8Array, row: Uint8Array, due: number): void {
  edit.revise();
  putRow(edit, key, row, { rev: rowRevision(row), text: rowText(row), due });
}

/** When a value is due that is to live for `ttl` milliseconds from the time of a command on. */
export function dueAfter({ time }: Edit, ttl: number): number {
  return Math.min(time + ttl, Number.MAX_SAFE_INTEGER);
}

/** The revision of a row's last change. */
export function rowRevision(row: Uint8Array | undefined): number {
  return row === undefined ? NO_REVISION : getU64(row, 1);
}

/** When the value of a row is due, or {@linkcode NEVER}. */
export function rowDue(row: Uint8Array | undefined): number {
  return row === undefined || row[0] === PLAIN ? NEVER : getU64(row, HEAD_BYTES);
}

/** The text of a row's value, as a view of it. */
export function rowText(row: Uint8Array): Uint8Array {
  return row.subarray(row[0] === PLAIN ? HEAD_BYTES : EXPIRING_HEAD_BYTES);
}

/** When the first value is due of those that are from one time to another; {@linkcode NEVER} when none is. */
export function firstDue(state: StoreReader, from: number, to: number): number {
  const [first] = state.range(timesFrom(from), timesTo(to), 1);
  return first === undefined ? NEVER : integerAt(first.key, TIMES.length).value;
}

/** The first values that are due from one time to another: their keys, and when they were due. */
export function dueValues(
  state: StoreReader,
  from: number,
  to: number,
  limit: number,
): { readonly key: Uint8Array; readonly due: number }[] {
  return state.range(timesFrom(from), timesTo(to), limit).map(({ key }) => {
    const { value: due, end } = integerAt(key, TIMES.length);
    const valueKey = state.allocate(VALUES.length + key.length - end);
    valueKey.set(VALUES);
    valueKey.set(key.subarray(end), VALUES.length);
    return { key: valueKey, due };
  });
}

function timesFrom(time: number): Uint8Array {
  return keysBelow(encodeTuple([KV, 2, time])).from;
}

function timesTo(time: number): Uint8Array {
  return keysBelow(encodeTuple([KV, 2, time])).to;
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

interface Value {
  readonly rev: number;
  readonly text: Uint8Array;
  readonly due: number;
}

function putRow(
  edit: Edit,
  key: Uint8Array,
  before: Uint8Array | undefined,
  { rev, text, due }: Value,
): void {
  const head = due === NEVER ? HEAD_BYTES : EXPIRING_HEAD_BYTES;
  const row = edit.state.allocate(head + text.length);
  row[0] = due === NEVER ? PLAIN : EXPIRING;
  putU64(row, 1, rev);
  if (due !== NEVER) putU64(row, HEAD_BYTES, due);
  row.set(text, head);
  setTime(edit, key, rowDue(before), due);
  edit.put(key, row);
}

/** Moves a value in the table of times. */
function setTime(edit: Edit, key: Uint8Array, before: number, after: number): void {
  if (before === after) return;
  if (before !== NEVER) {
    edit.delete(timeKey(edit, key, before));
    edit.expiring--;
  }
  if (after !== NEVER) {
    edit.put(timeKey(edit, key, after), NOTHING);
    edit.expiring++;
  }
}

function timeKey({ state }: Edit, key: Uint8Array, due: number): Uint8Array {
  const head = encodeTuple([KV, 2, due]);
  const all = state.allocate(head.length + key.length - VALUES.length);
  all.set(head);
  all.set(key.subarray(VALUES.length), head.length);
  return all;
}
