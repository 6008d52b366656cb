/**
 * The ids of messages, by which one that comes again is known.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { encodeTuple } from "../../store/tuple.ts";
import { below, numbersKey, TABLE, TOPICS } from "./keys.ts";

/** A message of a batch that was not appended, since there was one with its id. */
export interface Duplicate {
  /** Which message of the batch, from 0 on. */
  readonly message: number;
  /** Where the one before is. */
  readonly partition: number;
  readonly offset: number;
}

/** What a {@linkcode Duplicate} takes. */
export const DUPLICATE_BYTES = 16;

/** Where the message with an id is. */
export interface KnownId {
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  readonly partition: number;
  readonly offset: number;
}

/** An id of a message that was appended. */
export interface NewId {
  readonly id: Uint8Array;
  readonly offset: number;
  /** Whether there is no row of it, not even one of long ago. */
  readonly isNew: boolean;
}

/** The ids that an entry has brought to a partition. */
export interface AgedIds {
  readonly key: Uint8Array;
  /** When they came, in milliseconds since 1970. */
  readonly at: number;
  readonly ids: readonly Uint8Array[];
}

const ID_ROW_BYTES = 20;

/** Writes duplicates at a place; where they end. */
export function putDuplicates(
  bytes: Uint8Array,
  start: number,
  duplicates: readonly Duplicate[],
): number {
  let at = start;
  for (const { message, partition, offset } of duplicates) {
    putU32(bytes, at, message);
    putU32(bytes, at + 4, partition);
    putU64(bytes, at + 8, offset);
    at += DUPLICATE_BYTES;
  }
  return at;
}

/** The duplicates from one place to another. */
export function getDuplicates(bytes: Uint8Array, start: number, end: number): Duplicate[] {
  const duplicates: Duplicate[] = [];
  for (let at = start; at < end; at += DUPLICATE_BYTES) {
    const [message, partition] = [getU32(bytes, at), getU32(bytes, at + 4)];
    duplicates.push({ message, partition, offset: getU64(bytes, at + 8) });
  }
  return duplicates;
}

/** Where the message with an id is; `undefined` when none is known. */
export function getId(state: StoreReader, topic: number, id: Uint8Array): KnownId | undefined {
  const row = state.get(idKey(topic, id));
  return row && { at: getU64(row, 0), partition: getU32(row, 8), offset: getU64(row, 12) };
}

/** Keeps the ids that an entry brings to a partition. An id that was known before is one of this message from now on. */
export function putIds(
  state: Transaction,
  { index, time }: { readonly index: number; readonly time: number },
  { topic, number }: { readonly topic: number; readonly number: number },
  ids: readonly NewId[],
): void {
  const all = state.allocate(ids.reduce((size, { id }) => size + 1 + id.length, 8));
  putU64(all, 0, time);
  let at = 8;
  for (const { id, offset } of ids) {
    all[at] = id.length;
    all.set(id, at + 1);
    at += 1 + id.length;
    const row = state.allocate(ID_ROW_BYTES);
    putU64(row, 0, time);
    putU32(row, 8, number);
    putU64(row, 12, offset);
    state.put(idKey(topic, id), row);
  }
  state.put(numbersKey(state, TABLE.idsByAge, topic, index, number), all);
}

/** Whether something is known of ids of a topic. */
export function hasIds(state: StoreReader, topic: number): boolean {
  const { from, to } = below(state, TABLE.idsByAge, topic);
  return state.range(from, to, 1).length > 0;
}

/** The first of the ids of a topic, those that came first before the others. */
export function oldestIds(state: StoreReader, topic: number, limit: number): AgedIds[] {
  const { from, to } = below(state, TABLE.idsByAge, topic);
  return state.range(from, to, limit).map(({ key, value }) => {
    const ids: Uint8Array[] = [];
    for (let at = 8; at < value.length;) {
      const end = at + 1 + (value[at] as number);
      ids.push(value.subarray(at + 1, end));
      at = end;
    }
    return { key, at: getU64(value, 0), ids };
  });
}

/** Forgets the ids that an entry has brought, but those that others have brought since; how many are known no more. */
export function deleteIds(state: Transaction, topic: number, { key, at, ids }: AgedIds): number {
  let count = 0;
  for (const id of ids) {
    if (getId(state, topic, id)?.at !== at) continue;
    state.delete(idKey(topic, id));
    count++;
  }
  state.delete(key);
  return count;
}

function idKey(topic: number, id: Uint8Array): Uint8Array {
  return encodeTuple([TOPICS, 20, topic, id]);
}
