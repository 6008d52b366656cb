/**
 * Messages to one partition that are sent together.
 *
 * @module
 */

import { type EncodedMessages, FrameWriter, type Produced } from "../../../protocol/topics/mod.ts";
import type { Settle } from "../../net/deadline.ts";
import { type Deferred, deferred } from "../../net/portable.ts";
import { positionsOf, type TopicPosition } from "../../../protocol/topics/program/messages.ts";
import type { Tries } from "../wire/retry.ts";

/** A batch, from its first message until all of them are settled. */
export class Batch {
  /** How often and how long it may be tried. */
  readonly tries: Tries;
  /** Which one it is of its partition, from 0 on. */
  readonly number: number;
  /** Number of its first message among those of its producer; none before it is sent. */
  sequence: number | undefined;
  /** Whether it was sent before. */
  wasSent = false;
  /** What came of it when it was sent; `undefined` while that is under way. */
  outcome: Produced | { readonly error: unknown } | undefined;
  readonly #partition: number;
  readonly #writer = new FrameWriter(1_024);
  readonly #settles: Settle<TopicPosition>[] = [];
  #ids = 0;
  #isSettled = false;
  /** There when somebody waits for that. */
  #finished: Deferred<void> | undefined;

  /** Is empty. */
  constructor(partition: number, number: number, tries: Tries) {
    this.#partition = partition;
    this.number = number;
    this.tries = tries;
  }

  /** How many messages it has. */
  get count(): number {
    return this.#settles.length;
  }

  /** How many of its messages have an id. */
  get ids(): number {
    return this.#ids;
  }

  /** Bytes of its messages as they are encoded. */
  get bytes(): number {
    return this.#writer.length;
  }

  /** Its messages. */
  get messages(): EncodedMessages {
    return { count: this.count, bytes: this.#writer.view() };
  }

  /** Adds the message that `write` appends. */
  add(write: (writer: FrameWriter) => void, hasId: boolean, settle: Settle<TopicPosition>): void {
    write(this.#writer);
    if (hasId) this.#ids++;
    this.#settles.push(settle);
  }

  /** All of it is there, by what servers say; from offset -1 on when nobody has told where. */
  resolve(produced: Produced): void {
    const partition = this.#partition;
    const isKnown = produced.baseOffset >= 0;
    const positions = isKnown ? positionsOf(partition, this.count, produced) : undefined;
    this.#settles.forEach(({ resolve }, i) => resolve(positions?.[i] ?? { partition, offset: -1 }));
    this.#settled();
  }

  /** Nothing of it is there, or nobody knows. */
  reject(error: unknown): void {
    for (const { reject } of this.#settles) reject(error);
    this.#settled();
  }

  /** Resolves when all of it is settled. */
  finished(): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
    this.#finished ??= deferred<void>();
    return this.#finished.promise;
  }

  #settled(): void {
    this.#isSettled = true;
    this.#finished?.resolve();
  }
}
