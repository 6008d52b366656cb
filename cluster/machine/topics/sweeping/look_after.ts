/**
 * Looks after one thing that is due.
 *
 * @module
 */

import { timeAfter } from "../append.ts";
import { GROUP_LIFE_MS, PRODUCER_LIFE_MS } from "../limits.ts";
import { hasMembers } from "../groups/row.ts";
import { type Due, putDue } from "../rows/due.ts";
import { numbersKey, TABLE } from "../rows/keys.ts";
import { deleteCommitted, deleteGroup, lastCommit, placesOfGroup } from "../rows/offsets.ts";
import { forgetDuplicates, producerOf } from "../rows/producer.ts";
import { sweepTopic } from "./leavings.ts";
import { sweepIds } from "./ids.ts";
import { sweepMessages } from "./retention.ts";
import type { SweepWork } from "./work.ts";

/** Committed offsets that are looked at a time. */
const FEW = 256;

/** Does what is to be done; whether all of it is. */
export function lookAfter(work: SweepWork, due: Due): boolean {
  work.count();
  switch (due.kind) {
    case "topic":
      return sweepTopic(work, due.topic);
    case "partition":
      return sweepMessages(work, due.topic, due.partition);
    case "producer":
      return sweepProducer(work, due);
    case "group":
      return sweepGroup(work, due.group);
    case "ids":
      return sweepIds(work, due.topic);
  }
}

function sweepProducer(
  { state, time, totals }: SweepWork,
  due: Extract<Due, { kind: "producer" }>,
): true {
  const key = numbersKey(state, TABLE.producers, due.topic, due.partition, due.producer);
  const row = state.get(key);
  if (row === undefined) return true;
  const { lastAt, batches } = producerOf(key, row);
  const end = timeAfter(lastAt, PRODUCER_LIFE_MS);
  if (end > time) {
    putDue(state, end, due);
  } else {
    forgetDuplicates(state, { topic: due.topic, number: due.partition }, due.producer, batches);
    state.delete(key);
    totals.producers--;
  }
  return true;
}

function sweepGroup(work: SweepWork, group: Uint8Array): boolean {
  const { state, time, totals } = work;
  const last = lastCommit(state, group);
  if (last === undefined) return true;
  const isLive = hasMembers(state, group);
  const end = timeAfter(isLive ? time : last, GROUP_LIFE_MS);
  if (end > time) {
    putDue(state, end, { kind: "group", group });
    return true;
  }
  while (!work.isTired) {
    const places = placesOfGroup(state, group, undefined, FEW);
    for (const place of places) deleteCommitted(state, totals, group, place);
    work.count(places.length);
    if (places.length < FEW) {
      deleteGroup(state, group);
      return true;
    }
  }
  return false;
}
