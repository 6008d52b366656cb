/**
 * Those who wait for the next message of a partition.
 *
 * @module
 */

import type { MessageChange } from "../../../cluster/machine/topics/segment.ts";

/** Those who are woken in one turn: each of them looks for messages at once, and others have to do something as well. */
const AT_ONCE = 128;

/** Knows who waits for what. */
export class Waiting {
  /** Those who wait, by topic and partition. */
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Those who are to be woken, now or in turns to come. */
  readonly #woken = new Set<() => void>();
  /** Until the next ones of them hear of it. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** How many partitions somebody waits for. */
  get partitions(): number {
    return this.#waiting.size;
  }

  /** Resolves with the next change of a partition, or when the signal fires. */
  wait(topic: number, partition: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const key = keyOf(topic, partition);
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    const done = (): void => {
      signal.removeEventListener("abort", done);
      waiting.delete(done);
      this.#woken.delete(done);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      resolve();
    };
    waiting.add(done);
    signal.addEventListener("abort", done);
    return promise;
  }

  /** Entries have done this. */
  wake(changes: readonly MessageChange[]): void {
    if (this.#waiting.size === 0) return;
    for (const { segment: { topic, partition } } of changes) {
      for (const done of this.#waiting.get(keyOf(topic, partition)) ?? []) this.#woken.add(done);
    }
    if (this.#timer === undefined) this.#wakeSome();
  }

  /** The first ones hear of it at once, the others in turns of their own. */
  #wakeSome(): void {
    this.#timer = undefined;
    for (const done of [...this.#woken.values().take(AT_ONCE)]) done();
    if (this.#woken.size > 0) this.#timer = setTimeout(() => this.#wakeSome(), 0);
  }

  /** Nobody waits any more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const waiting of [...this.#waiting.values()]) for (const done of waiting) done();
  }
}

function keyOf(topic: number, partition: number): string {
  return `${topic}/${partition}`;
}
