/**
 * The offsets that a consumer commits for its group: what servers have of them, and what they are to be told.
 *
 * @module
 */

import type { CallOptions } from "../../../call_options.ts";
import { CODE } from "../../codes.ts";
import { TopicError } from "../../errors.ts";
import { MAX_COMMITTED } from "../../limits.ts";
import type { CommittedOffset, Replies, Requests } from "../../requests.ts";

/** Offsets are committed again so long after the last commit, in milliseconds: servers forget those of a group that is silent for 7 days. */
const RENEW_MS = 3_600_000;

/** What commits need. */
export interface CommitWorld {
  /** Asks the servers for offsets. */
  readonly load: (
    request: Requests["fetchOffsets"],
    options: CallOptions,
  ) => Promise<Replies["fetchOffsets"]>;
  /** Has the servers keep some. */
  readonly save: (
    offsets: readonly CommittedOffset[],
    options: CallOptions,
  ) => Promise<Replies["commitOffsets"]>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The committed offsets of one group in one topic. */
export class Commits {
  readonly #world: CommitWorld;
  readonly #group: string;
  readonly #topic: string;
  #savedAt: number;
  /** What the servers have. */
  readonly #committed = new Map<number, number>();
  /** One commit follows the other, so that none is overtaken by an older one. */
  #last: Promise<void> = Promise.resolve();
  /** Commits that are not done. */
  #open = 0;

  /** Nothing is known yet of what the servers have. */
  constructor(world: CommitWorld, group: string, topic: string) {
    this.#world = world;
    this.#group = group;
    this.#topic = topic;
    this.#savedAt = world.now();
  }

  /** Whether something is being committed: who does that time and again waits for it, or commits would queue up while nobody answers. */
  get isBusy(): boolean {
    return this.#open > 0;
  }

  /** The offsets of some partitions, without those that have none. */
  async load(
    partitions: readonly number[],
    options: CallOptions,
  ): Promise<ReadonlyMap<number, number>> {
    const topic = this.#topic;
    const request = {
      group: this.#group,
      partitions: partitions.map((partition) => ({ topic, partition })),
    };
    const { offsets } = await this.#world.load(request, options);
    for (const { partition, offset } of offsets) {
      if (offset >= 0) this.#committed.set(partition, offset);
      else this.#committed.delete(partition);
    }
    return this.#committed;
  }

  /** The offset that the servers have of a partition; `undefined` when they have none. */
  of(partition: number): number | undefined {
    return this.#committed.get(partition);
  }

  /** The servers have another offset of a partition, which was committed in another way. */
  learn(partition: number, offset: number): void {
    this.#committed.set(partition, offset);
  }

  /** What the servers had is gone. */
  forget(): void {
    this.#committed.clear();
  }

  /**
   * Commits the offsets that `positions` gives once those before are committed: what is another member's by then is not among them.
   * Rejects with a `TopicError` when one of them is refused.
   */
  save(positions: () => ReadonlyMap<number, number>, options: CallOptions): Promise<void> {
    this.#open++;
    const saved = this.#last.then(() => this.#save(positions(), options))
      .finally(() => this.#open--);
    this.#last = saved.catch(() => {}); // It is told who asked for it.
    return saved;
  }

  async #save(positions: ReadonlyMap<number, number>, options: CallOptions): Promise<void> {
    const isOld = this.#world.now() - this.#savedAt >= RENEW_MS;
    const changed = [...positions].filter(([at, offset]) => {
      return isOld || this.#committed.get(at) !== offset;
    });
    for (let at = 0; at < changed.length; at += MAX_COMMITTED) {
      const some = changed.slice(at, at + MAX_COMMITTED);
      const offsets = some.map(([partition, offset]): CommittedOffset => {
        return { topic: this.#topic, partition, offset, metadata: "" };
      });
      const { codes } = await this.#world.save(offsets, options);
      this.#savedAt = this.#world.now();
      some.forEach(([partition, offset], i) => {
        if (codes[i] === 0) this.#committed.set(partition, offset);
      });
      const code = codes.find((code) => code !== 0);
      if (code !== undefined || codes.length !== some.length) {
        throw new TopicError(code ?? CODE.INVALID_PROTOCOL, "An offset could not be committed");
      }
    }
  }
}
