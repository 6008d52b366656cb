/**
 * Appends a batch to a partition: its offsets, its segment, and the index.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { isBefore, nanosecondsOf, stampMessages } from "../../../protocol/topics/message_set.ts";
import type { Context } from "../module.ts";
import type { Transaction } from "../store/store.ts";
import { BATCH_HEAD_BYTES, HAS_NULLS, sealBatch } from "./batch.ts";
import { STRETCH_BYTES } from "./limits.ts";
import { setDue } from "./rows/due.ts";
import { NEVER, type Partition, putPartition } from "./rows/partition.ts";
import { activeOf, putPlace, putSegment } from "./rows/segments.ts";
import type { Topic } from "./rows/topic.ts";

/** Messages that were checked. */
export interface Messages {
  readonly bytes: Uint8Array;
  /** How many there are, at least one. */
  readonly count: number;
  /** Whether a key or a value is null. */
  readonly hasNulls: boolean;
}

/** Appends messages, and returns the offset of the first one. */
export function append(
  state: Transaction,
  context: Context,
  topic: Topic,
  partition: Partition,
  { bytes, count, hasNulls }: Messages,
): number {
  const { next: baseOffset, number } = partition;
  const batch = new Uint8Array(BATCH_HEAD_BYTES + bytes.length);
  batch.set(bytes, BATCH_HEAD_BYTES);
  const time = nanosecondsOf(context.time);
  const maxTimestamp = stampMessages(batch, BATCH_HEAD_BYTES, baseOffset, time);
  const attributes = hasNulls ? HAS_NULLS : 0;
  sealBatch(batch, { baseOffset, count, index: context.index, maxTimestamp, attributes });

  makeRoom(state, context.time, topic, partition, batch.length);
  const { active } = partition;
  const { base, bytes: position } = active;
  if (position === 0 || position - active.indexedAt >= STRETCH_BYTES) {
    const before = partition.maxTimestamp;
    putPlace(state, partition, { offset: baseOffset, base, position, before });
    active.indexedAt = position;
  }
  active.bytes += batch.length;
  active.crc = crc32(batch, active.crc);
  active.lastAt = context.time;
  partition.bytes += batch.length;
  partition.next += count;
  if (position === 0 || isBefore(partition.maxTimestamp, maxTimestamp)) {
    partition.maxTimestamp = maxTimestamp;
  }
  putPartition(state, partition);
  context.messages?.push({
    kind: "append",
    segment: { topic: topic.id, partition: number, base },
    position,
    bytes: batch,
  });
  return baseOffset;
}

/** Begins another segment where there is none, or where the one that there is takes no more. */
function makeRoom(
  state: Transaction,
  time: number,
  topic: Topic,
  partition: Partition,
  size: number,
): void {
  const full = activeOf(partition);
  if (full !== undefined) {
    const isOld = time - full.firstAt >= topic.segmentMs;
    if (!isOld && full.bytes + size <= topic.segmentBytes) return;
    putSegment(state, partition, full);
  }
  partition.active = {
    base: partition.next,
    bytes: 0,
    crc: 0,
    firstAt: time,
    lastAt: time,
    indexedAt: 0,
  };
  const { retentionBytes, retentionMs } = topic;
  if (retentionBytes > 0 && partition.bytes + size > retentionBytes) {
    setDue(state, partition, time);
  } else if (retentionMs > 0 && partition.due === NEVER) {
    setDue(state, partition, timeAfter(time, retentionMs));
  }
}

/** The time `ms` milliseconds after another one. */
export function timeAfter(time: number, ms: number): number {
  return Math.min(time + ms, Number.MAX_SAFE_INTEGER);
}
