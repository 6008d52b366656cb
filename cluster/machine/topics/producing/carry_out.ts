/**
 * Does what was planned.
 *
 * @module
 */

import type { Context } from "../../module.ts";
import type { Transaction } from "../../store/store.ts";
import { append, timeAfter } from "../append.ts";
import { makeTopic } from "../create.ts";
import { PRODUCER_LIFE_MS } from "../limits.ts";
import { putDue } from "../rows/due.ts";
import { type Duplicate, hasIds, putIds } from "../rows/ids.ts";
import { getPartition, type Partition } from "../rows/partition.ts";
import {
  forgetDuplicates,
  getProducer,
  keepDuplicates,
  putProducer,
  withBatch,
} from "../rows/producer.ts";
import { DEFAULT_OPTIONS, type Topic } from "../rows/topic.ts";
import { getTotals, putTotals } from "../rows/totals.ts";
import type { Produced, Sequence } from "./part.ts";
import type { Plan } from "./plan.ts";

/** Does it, and says what has come of it. */
export function carryOut(state: Transaction, context: Context, plan: Plan): Produced {
  const { part, known, duplicates, messages } = plan;
  const { count, sequence } = part;
  const appended = count - duplicates.length;
  if (known !== undefined) {
    const { next } = plan.partition;
    return { baseOffset: known.baseOffset, count: appended, next, duplicates };
  }
  const topic = plan.topic ?? made(state, context, plan);
  const partition = plan.topic ? plan.partition : getPartition(state, topic.id, part.partition);
  const baseOffset = messages === undefined
    ? partition.next
    : append(state, context, topic, partition, messages);
  if (plan.ids.length > 0) keepIds(state, context, topic, partition, plan);
  if (sequence !== undefined) {
    remember(state, context, partition, sequence, { count, baseOffset }, duplicates);
  }
  return { baseOffset, count: appended, next: partition.next, duplicates };
}

/** Makes the topic; that there is room for it was seen to. */
function made(state: Transaction, context: Context, { part }: Plan): Topic {
  const topic = makeTopic(state, context, part.topic, 1, 0, DEFAULT_OPTIONS);
  if ("ok" in topic) throw new Error(`Expected room for a topic, got ${topic.reason}`);
  return topic;
}

/** Keeps the ids of the messages, and sees to it that they are forgotten. */
function keepIds(
  state: Transaction,
  context: Context,
  { id: topic, dedupeMs }: Topic,
  partition: Partition,
  { ids }: Plan,
): void {
  if (!hasIds(state, topic)) {
    putDue(state, timeAfter(context.time, dedupeMs), { kind: "ids", topic });
  }
  putIds(state, context, partition, ids);
  const totals = getTotals(state);
  for (const { isNew } of ids) if (isNew) totals.ids++;
  putTotals(state, totals);
}

/** Keeps what a producer has sent. */
function remember(
  state: Transaction,
  { time }: Context,
  partition: Partition,
  { producer: id, epoch, sequence }: Sequence,
  batch: { readonly count: number; readonly baseOffset: number },
  duplicates: readonly Duplicate[],
): void {
  const { topic, number } = partition;
  const producer = getProducer(state, partition, id);
  if (producer.batches.length === 0) {
    const totals = getTotals(state);
    totals.producers++;
    putTotals(state, totals);
    const due = { kind: "producer", topic, partition: number, producer: id } as const;
    putDue(state, timeAfter(time, PRODUCER_LIFE_MS), due);
  }
  const before = epoch === producer.epoch ? producer.batches : [];
  const batches = withBatch(before, { sequence, ...batch, duplicates: duplicates.length });
  const gone = producer.batches.filter((one) => !batches.includes(one));
  forgetDuplicates(state, partition, id, gone);
  keepDuplicates(state, partition, id, sequence, duplicates);
  putProducer(state, { ...producer, epoch, lastAt: time, batches });
}
