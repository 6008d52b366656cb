/**
 * Ids of messages that were known for long enough.
 *
 * @module
 */

import { timeAfter } from "../append.ts";
import { putDue } from "../rows/due.ts";
import { deleteIds, oldestIds } from "../rows/ids.ts";
import { getIdentity, getTopic } from "../rows/topic.ts";
import type { SweepWork } from "./work.ts";

/** Entries whose ids are looked at a time. */
const FEW = 16;

/** Forgets those that are over; whether all of it is done. The topic is due again when the next ones are. */
export function sweepIds(work: SweepWork, topicId: number): boolean {
  const { state, time, totals } = work;
  const identity = getIdentity(state, topicId);
  const topic = identity && getTopic(state, identity.name);
  // What a deleted one has left is swept in another way; there may be another one of its name.
  if (topic === undefined || topic.id !== topicId) return true;
  for (;;) {
    const oldest = oldestIds(state, topicId, FEW);
    for (const aged of oldest) {
      const end = timeAfter(aged.at, topic.dedupeMs);
      if (topic.dedupeMs > 0 && end > time) {
        putDue(state, end, { kind: "ids", topic: topicId });
        return true;
      }
      if (work.isTired) return false;
      totals.ids -= deleteIds(state, topicId, aged);
      work.count(1 + aged.ids.length);
    }
    if (oldest.length < FEW) return true;
  }
}
