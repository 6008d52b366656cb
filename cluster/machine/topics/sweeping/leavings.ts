/**
 * What a deleted topic has left.
 *
 * @module
 */

import { decodeTuple } from "../../store/tuple.ts";
import { below, numbersKey, numbersOf, TABLE } from "../rows/keys.ts";
import { deleteCommitted } from "../rows/offsets.ts";
import { setDue } from "../rows/due.ts";
import { NEVER, partitionOf } from "../rows/partition.ts";
import { getIdentity } from "../rows/topic.ts";
import type { SweepWork } from "./work.ts";

/** Removes it; whether all of it is gone. */
export function sweepTopic(work: SweepWork, topic: number): boolean {
  const { state, totals } = work;
  const identity = getIdentity(state, topic);
  if (identity === undefined) return true;
  const range = (table: Uint8Array) => below(state, table, topic);
  const isClear = work.clear(range(TABLE.index)) &&
    work.clear(range(TABLE.segments), ({ key }) => {
      const [, partition, base] = numbersOf(TABLE.segments, key) as [number, number, number];
      work.drop({ topic, partition, base });
    }) &&
    work.clear(range(TABLE.partitions), ({ key, value }) => {
      const [, number] = numbersOf(TABLE.partitions, key) as [number, number];
      const partition = partitionOf(topic, number, value);
      const { active } = partition;
      setDue(state, partition, NEVER);
      if (active.bytes > 0) work.drop({ topic, partition: number, base: active.base });
    }) &&
    work.clear(range(TABLE.producers), () => {
      totals.producers--;
    }) &&
    work.clear(range(TABLE.duplicates)) &&
    work.clear(range(TABLE.ids), () => {
      totals.ids--;
    }) &&
    work.clear(range(TABLE.idsByAge)) &&
    work.clear(range(TABLE.offsets), ({ key }) => {
      const [, , , partition, group] = decodeTuple(key) as [0, 0, 0, number, Uint8Array];
      deleteCommitted(state, totals, group, { topic, partition });
    });
  if (!isClear) return false;
  state.delete(numbersKey(state, TABLE.topics, topic));
  totals.topics--;
  totals.partitions -= identity.deletedPartitions;
  return true;
}
