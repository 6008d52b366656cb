/**
 * The partitions that a consumer reads: whose turn it is, what its program is done with, and those that are handed over.
 *
 * @module
 */

import type { Message } from "../../messages.ts";
import type { PartitionReader } from "./partition.ts";
import { Bell } from "./timing.ts";

/** The partitions of one consumer. */
export class Partitions {
  /** Those that are read. */
  #readers: readonly PartitionReader[] = [];
  /** Those of which nothing more is delivered, and the last of which may not be done with. */
  readonly #leaving = new Set<PartitionReader>();
  /** Those that have delivered something which is not done with yet. */
  readonly #touched = new Set<PartitionReader>();
  /** Rings when all that was delivered is done with. */
  readonly #done = new Bell();
  /** Which partition is looked at first. */
  #turn = 0;

  /** Those that are read. */
  get readers(): readonly PartitionReader[] {
    return this.#readers;
  }

  /** Messages that are known to be there, and that were not delivered. */
  get lag(): number {
    const lags = this.#readers.map(({ highWaterMark, position = highWaterMark }) =>
      Math.max(0, highWaterMark - position)
    );
    return lags.reduce((sum, one) => sum + one, 0);
  }

  /** Reads some more; by their numbers. */
  add(readers: readonly PartitionReader[]): void {
    this.#readers = [...this.#readers, ...readers].sort((a, b) => a.partition - b.partition);
  }

  /** Delivers nothing more of some of them, which are still committed. */
  release(partitions: readonly number[]): readonly PartitionReader[] {
    const gone = this.#readers.filter(({ partition }) => partitions.includes(partition));
    this.#readers = this.#readers.filter((reader) => !gone.includes(reader));
    this.#turn = 0;
    for (const reader of gone) {
      reader.end();
      this.#leaving.add(reader);
    }
    return gone;
  }

  /** Reads on in a topic of the same name that has none of the messages of before. */
  restart(): void {
    this.#touched.clear();
    for (const reader of this.#leaving) reader.done = undefined;
    for (const reader of this.#readers) reader.restart();
    this.#done.ring();
  }

  /** Has nothing to do with some of them any more. */
  forget(readers: readonly PartitionReader[]): void {
    for (const reader of readers) {
      this.#leaving.delete(reader);
      this.#touched.delete(reader);
    }
  }

  /** The next message that is there. Throws what keeps one from coming. */
  take(): { readonly partition: number; readonly message: Message } | undefined {
    const readers = this.#readers;
    for (let i = 0; i < readers.length; i++) {
      const reader = readers[(this.#turn + i) % readers.length] as PartitionReader;
      const message = reader.isOpen ? reader.take() : undefined;
      if (message === undefined) continue;
      // After what was fetched of one partition another one has its turn.
      this.#turn = (this.#turn + i + (reader.isBetween ? 1 : 0)) % readers.length;
      this.#touched.add(reader);
      return { partition: reader.partition, message };
    }
    return undefined;
  }

  /** The program is done with what was delivered. */
  settle(): void {
    if (this.#touched.size === 0) return;
    for (const reader of this.#touched) reader.done = reader.position;
    this.#touched.clear();
    this.#done.ring();
  }

  /** Resolves when the program is done with what was delivered of some of them. */
  async settled(readers: readonly PartitionReader[]): Promise<void> {
    while (readers.some((reader) => this.#touched.has(reader))) await this.#done.heard();
  }

  /** What is done with, of those that are read and those that are handed over, or of some. */
  done(
    readers: readonly PartitionReader[] = [...this.#readers, ...this.#leaving],
  ): ReadonlyMap<number, number> {
    const entries = readers.flatMap(({ partition, done }) =>
      done === undefined ? [] : [[partition, done] as const]
    );
    return new Map(entries);
  }
}
