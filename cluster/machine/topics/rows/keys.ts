/**
 * How the module `topics` lays out its state.
 *
 *     (3, 0)                                the totals
 *     (3, 1, name)                          a topic: its id, partitions, options
 *     (3, 2, topic)                         its name, and whether it is deleted
 *     (3, 3, topic, partition)              a partition, and the segment that it appends to
 *     (3, 4, topic, partition, base)        a segment that is full
 *     (3, 5, topic, partition, offset)      where the batch is that begins with this offset, of one in so many bytes
 *     (3, 6, topic, partition, producer)    what a producer has appended last
 *     (3, 7, topic, partition, group)       the offset that a group has committed
 *     (3, 8, group, topic, partition)       nothing: the offsets of a group
 *     (3, 9, group)                         when it has committed last
 *     (3, 10, time, kind, ...)              nothing: what is to be looked after at that time
 *     (3, 11, group)                        the members of a group, and which partitions they have
 *     (3, 20, topic, id)                    where the message with an id is, and when it came
 *     (3, 21, topic, index, partition)      the ids that an entry has brought to a partition, and when
 *     (3, 22, topic, partition, producer, sequence)  which messages of a producer's batch were duplicates
 *
 * A topic has an id that no other one ever gets, so what a deleted one has left belongs to nobody. A partition to which nothing
 * was ever appended has no row. Messages are no rows: see `segment.ts`.
 *
 * @module
 */

import {
  encodeTuple,
  integerAt,
  integerBytes,
  keysBelow,
  putBytes,
  putInteger,
  TEXT_OVERHEAD_BYTES,
} from "../../store/tuple.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import type { StoreReader } from "../../store/store.ts";

/** Number of the module. */
export const TOPICS = 3;

/** Who gives room for keys. */
type Room = Pick<StoreReader, "allocate">;

/** Key of the totals. */
export const TOTALS_KEY: Uint8Array = encodeTuple([TOPICS, 0]);

/** What the keys of a table begin with. */
export const TABLE = {
  names: encodeTuple([TOPICS, 1]),
  topics: encodeTuple([TOPICS, 2]),
  partitions: encodeTuple([TOPICS, 3]),
  segments: encodeTuple([TOPICS, 4]),
  index: encodeTuple([TOPICS, 5]),
  producers: encodeTuple([TOPICS, 6]),
  offsets: encodeTuple([TOPICS, 7]),
  offsetsOfGroups: encodeTuple([TOPICS, 8]),
  groups: encodeTuple([TOPICS, 9]),
  times: encodeTuple([TOPICS, 10]),
  members: encodeTuple([TOPICS, 11]),
  ids: encodeTuple([TOPICS, 20]),
  idsByAge: encodeTuple([TOPICS, 21]),
  duplicates: encodeTuple([TOPICS, 22]),
} as const satisfies Readonly<Record<string, Uint8Array>>;

/** The key of numbers in a table, or what those begin with that have more. */
export function numbersKey(
  state: Room,
  table: Uint8Array,
  first: number,
  second?: number,
  third?: number,
): Uint8Array {
  let size = table.length + integerBytes(first);
  if (second !== undefined) size += integerBytes(second);
  if (third !== undefined) size += integerBytes(third);
  const key = state.allocate(size);
  key.set(table);
  let at = putInteger(key, table.length, first);
  if (second !== undefined) at = putInteger(key, at, second);
  if (third !== undefined) putInteger(key, at, third);
  return key;
}

/** The numbers in a key of {@linkcode numbersKey}. */
export function numbersOf(table: Uint8Array, key: Uint8Array): number[] {
  const numbers: number[] = [];
  for (let at = table.length; at < key.length;) {
    const { value, end } = integerAt(key, at);
    numbers.push(value);
    at = end;
  }
  return numbers;
}

/** The key of a topic's name, which has only bytes that stand for themselves in a key. */
export function nameKey(state: Room, name: Uint8Array): Uint8Array {
  const { names } = TABLE;
  const key = state.allocate(names.length + name.length + TEXT_OVERHEAD_BYTES);
  key.set(names);
  putBytes(key, names.length, name);
  return key;
}

/** The name in a key of {@linkcode nameKey}. */
export function nameOf(key: Uint8Array): Uint8Array {
  return key.subarray(TABLE.names.length + 1, key.length - 1);
}

/** The key of a group in a table. */
export function groupKey(table: Uint8Array, group: Uint8Array): Uint8Array {
  return concatBytes([table, encodeTuple([group])]);
}

/** The keys of a table that begin with these numbers. */
export function below(
  state: Room,
  table: Uint8Array,
  topic: number,
  partition?: number,
): { from: Uint8Array; to: Uint8Array } {
  return keysBelow(numbersKey(state, table, topic, partition));
}
