/**
 * What a consumer has delivered since it was committed last, for transactions: from where on, and up to where.
 *
 * It stays what it is when the servers know something else: then they refuse it. They cannot tell when a partition went and came back
 * and nobody has committed meanwhile. Then it is delivered once more, and what has come of it the first time may be among what the
 * program is about to send, so nothing is told any more.
 *
 * @module
 */

import { CODE } from "../../codes.ts";
import { TopicError } from "../../errors.ts";
import type { TopicProgress } from "../types.ts";
import type { Commits } from "./commits.ts";

/** What one partition has delivered. */
interface Delivered {
  from: number | undefined;
  offset: number;
  /** Whether others may have had the partition since. */
  isLost: boolean;
}

/** The progress of one consumer. */
export class Progress {
  readonly #topic: string;
  readonly #commits: Commits;
  readonly #delivered = new Map<number, Delivered>();

  /** Nothing was delivered yet. */
  constructor(topic: string, commits: Commits) {
    this.#topic = topic;
    this.#commits = commits;
  }

  /** The message at an offset of a partition was delivered. */
  note(partition: number, offset: number): void {
    const { from, isLost } = this.#delivered.get(partition) ??
      { from: this.#commits.of(partition), isLost: false };
    // What comes once more is never done with.
    this.#delivered.set(partition, { from, offset: isLost ? Infinity : offset + 1, isLost });
  }

  /** Others may have these partitions from now on. */
  lose(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const delivered = this.#delivered.get(partition);
      if (delivered !== undefined) delivered.isLost = true;
    }
  }

  /** Nothing of it is to be committed any more. */
  forget(): void {
    this.#delivered.clear();
  }

  /** What was delivered is about to be committed in another way; what is returned is to be called once it is. */
  committing(): () => void {
    const offsets = [...this.#delivered].map(([partition, { offset }]) => ({ partition, offset }));
    return () => this.#settle(offsets);
  }

  /**
   * The offsets to be committed; they are what was committed last once it is told so.
   *
   * @throws {TopicError} `REBALANCE_IN_PROGRESS` when a partition was lost before what it has delivered was committed
   */
  take(): Pick<TopicProgress, "offsets" | "committed"> {
    const offsets = [...this.#delivered].map(([partition, { from = null, offset, isLost }]) => {
      if (isLost) {
        const text = `Partition ${partition} was lost before what it has delivered was committed`;
        throw new TopicError(CODE.REBALANCE_IN_PROGRESS, text);
      }
      return { topic: this.#topic, partition, offset, from };
    });
    const committed = (): void => {
      for (const { partition, offset } of offsets) this.#commits.learn(partition, offset);
      this.#settle(offsets);
    };
    return { offsets, committed };
  }

  #settle(offsets: readonly { readonly partition: number; readonly offset: number }[]): void {
    for (const { partition, offset } of offsets) {
      const delivered = this.#delivered.get(partition);
      if (delivered === undefined) continue;
      // More may have been delivered since.
      if (delivered.offset === offset) this.#delivered.delete(partition);
      else delivered.from = this.#commits.of(partition);
    }
  }
}
