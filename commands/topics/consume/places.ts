/**
 * Where a consumer is in each partition of its topic, and where it is to end.
 *
 * @module
 */

import type { TopicConsumer, TopicMessage } from "../../../client/mod.ts";

/** Messages of a partition that were gone before they were read. */
export interface Gap {
  readonly partition: number;
  /** Offset of the first of them ... */
  readonly from: number;
  /** ... and of the first one after them. */
  readonly to: number;
}

/** The partitions that are read. */
export class Places {
  readonly #consumer: TopicConsumer;
  /** Offset of the next message. */
  readonly #at = new Map<number, number>();
  /** Offset at which it is enough. */
  readonly #ends: ReadonlyMap<number, number>;

  /** Reads are enough when they have come to `ends`, by partition. */
  constructor(consumer: TopicConsumer, ends: ReadonlyMap<number, number>) {
    this.#consumer = consumer;
    this.#ends = ends;
  }

  /** Whether all that was there at the beginning was read. */
  get isEnd(): boolean {
    return [...this.#ends].every(([partition, end]) => (this.#at.get(partition) ?? 0) >= end);
  }

  /** Asks where the consumer is. Rejects when that cannot be learned. */
  async look(signal: AbortSignal): Promise<void> {
    for (const partition of this.#ends.keys()) {
      this.#at.set(partition, await this.#consumer.position(partition, { signal }));
    }
  }

  /** Goes on by messages that were read; returns what is missing before them. */
  pass(messages: readonly TopicMessage[]): Gap[] {
    const gaps: Gap[] = [];
    for (const { partition, offset: to } of messages) {
      const from = this.#at.get(partition) ?? to;
      if (to > from) gaps.push({ partition, from, to });
      this.#at.set(partition, to + 1);
    }
    return gaps;
  }
}
