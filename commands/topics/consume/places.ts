/**
 * Where a consumer is in each partition of its topic, and where it is to end.
 *
 * @module
 */

import type { TopicConsumer, TopicMessage } from "../../../client/mod.ts";
import { isTakenOver } from "../../../protocol/topics/errors.ts";

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
  /** Offset of the next message, of those that are read here. */
  readonly #at = new Map<number, number>();
  /** Offset at which it is enough. */
  readonly #ends: ReadonlyMap<number, number>;
  readonly #committed: () => Promise<ReadonlyMap<number, number>>;
  /** What the group has committed of the others. */
  #others: ReadonlyMap<number, number> = new Map();

  /** Reads are enough when they have come to `ends`, by partition; `committed` tells where others of the group are. */
  constructor(
    consumer: TopicConsumer,
    ends: ReadonlyMap<number, number>,
    committed: () => Promise<ReadonlyMap<number, number>>,
  ) {
    this.#consumer = consumer;
    this.#ends = ends;
    this.#committed = committed;
  }

  /** Whether all that was there at the beginning was read. */
  get isEnd(): boolean {
    return [...this.#ends].every(([partition, end]) => {
      return (this.#at.get(partition) ?? this.#others.get(partition) ?? 0) >= end;
    });
  }

  /** Asks where the consumer and the others of its group are. Rejects when that cannot be learned. */
  async look(signal: AbortSignal): Promise<void> {
    let areOthers = false;
    for (const partition of this.#ends.keys()) {
      try {
        this.#at.set(partition, await this.#consumer.position(partition, { signal }));
      } catch (error) {
        if (!isTakenOver(error)) throw error;
        this.#at.delete(partition);
        areOthers = true;
      }
    }
    if (!areOthers) return;
    // So that the others see where this one is.
    await this.#consumer.commit({ signal }).catch((error) => {
      if (!isTakenOver(error)) throw error;
    });
    this.#others = await this.#committed();
  }

  /** Partitions are read here from now on. */
  async begin(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) {
      this.#at.set(partition, await this.#consumer.position(partition));
    }
  }

  /** Partitions are read here no more. */
  end(partitions: readonly number[]): void {
    for (const partition of partitions) this.#at.delete(partition);
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
