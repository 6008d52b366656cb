/**
 * What a consumer has delivered since it was committed last, for transactions: from where on, and up to where.
 *
 * It stays what it is when the servers know something else, or others have the partition: then they refuse it.
 *
 * @module
 */

import type { TopicProgress } from "../types.ts";
import type { Commits } from "./commits.ts";

/** The progress of one consumer. */
export class Progress {
  readonly #topic: string;
  readonly #commits: Commits;
  readonly #delivered = new Map<number, { from: number | undefined; offset: number }>();

  /** Nothing was delivered yet. */
  constructor(topic: string, commits: Commits) {
    this.#topic = topic;
    this.#commits = commits;
  }

  /** The message at an offset of a partition was delivered. */
  note(partition: number, offset: number): void {
    const { from } = this.#delivered.get(partition) ?? { from: this.#commits.of(partition) };
    this.#delivered.set(partition, { from, offset: offset + 1 });
  }

  /** Nothing of it is to be committed any more. */
  forget(): void {
    this.#delivered.clear();
  }

  /** The offsets to be committed; they are what was committed last once it is told so. */
  take(): Pick<TopicProgress, "offsets" | "committed"> {
    const offsets = [...this.#delivered].map(([partition, { from = null, offset }]) => {
      return { topic: this.#topic, partition, offset, from };
    });
    return { offsets, committed: () => this.#learn(offsets) };
  }

  #learn(offsets: TopicProgress["offsets"]): void {
    for (const { partition, offset } of offsets) {
      this.#commits.learn(partition, offset);
      const delivered = this.#delivered.get(partition);
      if (delivered === undefined) continue;
      // More may have been delivered since.
      if (delivered.offset === offset) this.#delivered.delete(partition);
      else delivered.from = offset;
    }
  }
}
