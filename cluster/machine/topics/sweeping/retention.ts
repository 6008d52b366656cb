/**
 * Messages that are kept no longer: the first segments of a partition.
 *
 * @module
 */

import { timeAfter } from "../append.ts";
import { setDue } from "../rows/due.ts";
import { numbersKey, TABLE } from "../rows/keys.ts";
import { getPartition, NEVER, type Partition, putPartition } from "../rows/partition.ts";
import {
  activeOf,
  deleteSegment,
  putSegment,
  type Segment,
  segmentsFrom,
} from "../rows/segments.ts";
import { getIdentity, getTopic, type Topic } from "../rows/topic.ts";
import type { SweepWork } from "./work.ts";

/** Removes the segments that are over; whether all of it is done. The partition is due again when the next one may be over. */
export function sweepMessages(work: SweepWork, topicId: number, number: number): boolean {
  const { state, time } = work;
  const identity = getIdentity(state, topicId);
  const topic = identity && getTopic(state, identity.name);
  // What a deleted one has left is swept in another way; there may be another one of its name.
  if (topic === undefined || topic.id !== topicId) return true;
  const partition = getPartition(state, topicId, number);
  let first = firstSegment(work, partition);
  while (first !== undefined && isOver(topic, partition, first, time)) {
    if (first.next > partition.start) partition.start = first.next;
    if (!remove(work, partition, first)) {
      putPartition(state, partition);
      return false;
    }
    first = firstSegment(work, partition);
  }
  setDue(state, partition, first === undefined ? NEVER : endOf(topic, first));
  putPartition(state, partition);
  return true;
}

function firstSegment({ state }: SweepWork, partition: Partition): Segment | undefined {
  return segmentsFrom(state, partition, 0, 1)[0] ?? activeOf(partition);
}

/** When a segment is over by its age. */
function endOf({ retentionMs }: Topic, { lastAt }: Segment): number {
  return retentionMs === 0 ? NEVER : timeAfter(lastAt, retentionMs);
}

function isOver(
  topic: Topic,
  { start, bytes }: Partition,
  segment: Segment,
  time: number,
): boolean {
  const { retentionBytes } = topic;
  const end = endOf(topic, segment);
  return segment.next <= start || (end !== NEVER && end <= time) ||
    (retentionBytes > 0 && bytes - segment.bytes >= retentionBytes);
}

/** Removes a segment and its part of the index; whether there was room for it. */
function remove(work: SweepWork, partition: Partition, segment: Segment): boolean {
  const { state } = work;
  const { topic, number, active } = partition;
  const { base, next, bytes } = segment;
  if (base === active.base && active.bytes > 0) {
    // It may go in several steps, and nothing is appended to it meanwhile.
    putSegment(state, partition, segment);
    active.bytes = 0;
  }
  const from = numbersKey(state, TABLE.index, topic, number, base);
  const to = numbersKey(state, TABLE.index, topic, number, next);
  if (!work.clear({ from, to })) return false;
  work.count();
  deleteSegment(state, partition, base);
  partition.bytes -= bytes;
  work.drop({ topic, partition: number, base });
  return true;
}
