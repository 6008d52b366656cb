/**
 * Where the batches are that were appended last: who waits for the next message finds it without passing over those before it.
 *
 * @module
 */

import { getU64 } from "../../../protocol/bytes.ts";
import type { MessageChange } from "../../../cluster/machine/topics/segment.ts";

/** Batches that are known. */
const MAX_BATCHES = 4_096;

/** Where a batch says the offset of its first message. */
const OFFSET_AT = 8;

/** Where a batch begins. */
export interface BatchPlace {
  /** First offset of the segment. */
  readonly base: number;
  readonly position: number;
}

/** The batches that were appended last, of all partitions. */
export class RecentBatches {
  /** The oldest first, by topic, partition and offset. */
  readonly #places = new Map<string, BatchPlace>();

  /** Entries have done this. */
  take(changes: readonly MessageChange[]): void {
    for (const change of changes) {
      if (change.kind !== "append") continue;
      const { segment: { topic, partition, base }, position, bytes } = change;
      this.#places.set(keyOf(topic, partition, getU64(bytes, OFFSET_AT)), { base, position });
      if (this.#places.size <= MAX_BATCHES) continue;
      for (const oldest of this.#places.keys()) {
        this.#places.delete(oldest);
        break;
      }
    }
  }

  /** Where the batch begins whose first message has this offset, if it is one of them. */
  find(topic: number, partition: number, offset: number): BatchPlace | undefined {
    return this.#places.get(keyOf(topic, partition, offset));
  }
}

function keyOf(topic: number, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}
