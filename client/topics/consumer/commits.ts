/**
 * The offsets that a consumer commits for its group.
 *
 * @module
 */

import {
  CODE,
  type CommittedOffset,
  MAX_COMMITTED,
  TopicError,
} from "../../../protocol/topics/mod.ts";
import type { CallOptions } from "../../net/deadline.ts";
import { reportFault } from "../../net/portable.ts";
import type { Cluster } from "../wire/cluster.ts";

/** Offsets are committed again so long after the last commit, in milliseconds: servers forget those of a group that is silent for 7 days. */
const RENEW_MS = 3_600_000;

/** The committed offsets of one group in one topic. */
export class Commits {
  /** Why offsets could not be committed by themselves the last time. */
  error: Error | undefined;
  readonly #cluster: Pick<Cluster, "ask">;
  readonly #group: string;
  readonly #topic: string;
  readonly #renewMs: number;
  #savedAt = performance.now();
  /** What the servers have. */
  readonly #committed = new Map<number, number>();
  /** One commit follows the other, so that none is overtaken by an older one. */
  #last: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Commits nothing by itself. */
  constructor(
    cluster: Pick<Cluster, "ask">,
    group: string,
    topic: string,
    renewMs: number = RENEW_MS,
  ) {
    this.#renewMs = renewMs;
    this.#cluster = cluster;
    this.#group = group;
    this.#topic = topic;
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
    const { offsets } = await this.#cluster.ask("fetchOffsets", request, options);
    for (const { partition, offset } of offsets) {
      if (offset >= 0) this.#committed.set(partition, offset);
    }
    return this.#committed;
  }

  /** Commits what `positions` gives every `ms` milliseconds, until {@linkcode Commits.stop}. */
  start(ms: number, positions: () => ReadonlyMap<number, number>): void {
    this.#timer ??= setInterval(() => {
      this.save(positions(), {}).then(
        () => this.error = undefined,
        (error) => this.error = error,
      ).catch(reportFault);
    }, ms);
  }

  /** Commits nothing by itself any more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Commits offsets, once those before are. Rejects with a `TopicError` when one of them is refused. */
  save(positions: ReadonlyMap<number, number>, options: CallOptions): Promise<void> {
    const saved = this.#last.then(() => this.#save(positions, options));
    this.#last = saved.catch(() => {}); // It is told who asked for it.
    return saved;
  }

  async #save(positions: ReadonlyMap<number, number>, options: CallOptions): Promise<void> {
    const isOld = performance.now() - this.#savedAt >= this.#renewMs;
    const changed = [...positions].filter(([at, offset]) => {
      return isOld || this.#committed.get(at) !== offset;
    });
    for (let at = 0; at < changed.length; at += MAX_COMMITTED) {
      const some = changed.slice(at, at + MAX_COMMITTED);
      const offsets = some.map(([partition, offset]): CommittedOffset => {
        return { topic: this.#topic, partition, offset, metadata: "" };
      });
      const request = { group: this.#group, generation: 0, member: "", offsets };
      // The same offsets again are the same.
      const { codes } = await this.#cluster.ask("commitOffsets", request, options);
      this.#savedAt = performance.now();
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
