/**
 * The offsets that groups have committed.
 *
 * @module
 */

import { getU64, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { decodeTuple, encodeTuple, keyAfter, keysBelow } from "../../store/tuple.ts";
import { groupKey, TABLE, TOPICS } from "./keys.ts";
import type { Totals } from "./totals.ts";

/** A committed offset. */
export interface Committed {
  /** The offset of the first message that the group has not dealt with. */
  readonly offset: number;
  /** When it was committed, in milliseconds since 1970. */
  readonly at: number;
  /** What the group has said of it. */
  readonly metadata: Uint8Array;
}

/** Which offset. */
export interface OffsetPlace {
  readonly topic: number;
  readonly partition: number;
}

const NOTHING = new Uint8Array();
const HEAD_BYTES = 16;

/** What a group has committed for a partition. */
export function getCommitted(
  state: StoreReader,
  group: Uint8Array,
  { topic, partition }: OffsetPlace,
): Committed | undefined {
  const row = state.get(encodeTuple([TOPICS, 7, topic, partition, group]));
  return row && { offset: getU64(row, 0), at: getU64(row, 8), metadata: row.subarray(HEAD_BYTES) };
}

/** Keeps what a group commits; whether there was nothing before. */
export function putCommitted(
  state: Transaction,
  group: Uint8Array,
  { topic, partition }: OffsetPlace,
  { offset, at, metadata }: Committed,
): boolean {
  const key = encodeTuple([TOPICS, 7, topic, partition, group]);
  const isNew = state.get(key) === undefined;
  if (isNew) state.put(encodeTuple([TOPICS, 8, group, topic, partition]), NOTHING);
  const row = state.allocate(HEAD_BYTES + metadata.length);
  putU64(row, 0, offset);
  putU64(row, 8, at);
  row.set(metadata, HEAD_BYTES);
  state.put(key, row);
  return isNew;
}

/** For which partitions a group has committed something: the first of those after one, or of all. */
export function placesOfGroup(
  state: StoreReader,
  group: Uint8Array,
  after: OffsetPlace | undefined,
  limit: number,
): OffsetPlace[] {
  const { from, to } = keysBelow(encodeTuple([TOPICS, 8, group]));
  const next = after && keyAfter(encodeTuple([TOPICS, 8, group, after.topic, after.partition]));
  return state.range(next ?? from, to, limit).map(({ key }) => {
    const [, , , topic, partition] = decodeTuple(key) as [0, 0, 0, number, number];
    return { topic, partition };
  });
}

/** Forgets what a group has committed for a partition. */
export function deleteCommitted(
  state: Transaction,
  totals: Totals,
  group: Uint8Array,
  { topic, partition }: OffsetPlace,
): void {
  state.delete(encodeTuple([TOPICS, 7, topic, partition, group]));
  state.delete(encodeTuple([TOPICS, 8, group, topic, partition]));
  totals.offsets--;
}

/** When a group has committed last; `undefined`: never, or it is forgotten. */
export function lastCommit(state: StoreReader, group: Uint8Array): number | undefined {
  const row = state.get(groupKey(TABLE.groups, group));
  return row && getU64(row, 0);
}

/** A group commits. */
export function putLastCommit(state: Transaction, group: Uint8Array, time: number): void {
  const row = state.allocate(8);
  putU64(row, 0, time);
  state.put(groupKey(TABLE.groups, group), row);
}

/** A group is forgotten. */
export function deleteGroup(state: Transaction, group: Uint8Array): void {
  state.delete(groupKey(TABLE.groups, group));
}
