/**
 * The way of a program's messages to one partition: those that are there while others are on their way go together, after them.
 *
 * @module
 */

import { concatBytes } from "../../../protocol/bytes.ts";
import {
  CODE,
  MAX_IDS,
  type Produced,
  type ProducerBatch,
  TopicError,
} from "../../../protocol/topics/mod.ts";
import { positionsOf, type TopicPosition } from "../../../protocol/topics/program/messages.ts";
import { pause } from "../../net/deadline.ts";
import { isOpen, lost } from "./requests.ts";

/** Bytes of a batch, but for a message that takes more by itself. */
const BATCH_BYTES = 1024 * 1024;

/** One try may take so long, in milliseconds ... */
const TRY_MS = 5_000;
/** ... and it is waited so long before the second one, each time twice as long, at most so long. */
const PAUSE_MS = { first: 50, most: 1_000 } as const;

/** A message on its way, encoded. */
export interface Pending {
  readonly bytes: Uint8Array;
  readonly hasId: boolean;
  readonly resolve: (position: TopicPosition) => void;
  readonly reject: (error: unknown) => void;
}

/** What lanes need of their producer. */
export interface LaneWorld {
  /** Whether a batch is sent again when it is not known whether it arrived. */
  readonly idempotent: boolean;
  /** Milliseconds that a batch may take, with all its tries. */
  readonly timeoutMs: number;
  /** Fires when the agent ends. */
  readonly closing: AbortSignal;
  /** An id by which servers know what comes again. */
  identify(timeoutMs: number): Promise<{ readonly id: number; readonly epoch: number }>;
  /** Appends messages. */
  produce(
    partition: number,
    producer: ProducerBatch | undefined,
    messages: { readonly count: number; readonly bytes: Uint8Array },
    timeoutMs: number,
    isAgain: boolean,
  ): Promise<Produced>;
}

/** The messages to one partition. */
export class Lane {
  readonly #partition: number;
  readonly #world: LaneWorld;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #identity: { readonly id: number; readonly epoch: number } | undefined;
  #sequence = 0;

  /** Sends nothing yet. */
  constructor(partition: number, world: LaneWorld) {
    this.#partition = partition;
    this.#world = world;
  }

  /** Adds a message. */
  add(pending: Pending): void {
    this.#queue.push(pending);
    this.#running ??= this.#run();
  }

  /** Resolves when all that was added is settled. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is sent in the same turn goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#append(this.#cut());
    this.#running = undefined;
  }

  /** The next batch. */
  #cut(): Pending[] {
    let bytes = 0;
    let ids = 0;
    const end = this.#queue.findIndex((pending, i) => {
      bytes += pending.bytes.length;
      if (pending.hasId) ids++;
      return i > 0 && (bytes > BATCH_BYTES || ids > MAX_IDS);
    });
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  /** Appends a batch and tells each message of it what became of it. */
  async #append(batch: readonly Pending[]): Promise<void> {
    const endsAt = performance.now() + this.#world.timeoutMs;
    const messages = {
      count: batch.length,
      bytes: concatBytes(batch.map(({ bytes }) => bytes)),
    };
    let wasOpen = false;
    for (let pauseMs: number = PAUSE_MS.first, isAgain = false;; isAgain = true) {
      try {
        const limitMs = Math.max(1, Math.min(TRY_MS, endsAt - performance.now()));
        const produced = await this.#send(messages, limitMs, isAgain);
        const positions = positionsOf(this.#partition, batch.length, produced);
        return batch.forEach(({ resolve }, i) => resolve(positions[i] as TopicPosition));
      } catch (error) {
        wasOpen ||= isOpen(error);
        const { idempotent, closing } = this.#world;
        // Under another identity it would come twice.
        const isForgotten = idempotent && isLostTrack(error) && !wasOpen;
        if (isForgotten) this.#identity = undefined;
        const isOver = closing.aborted || performance.now() + pauseMs >= endsAt;
        if (isOver || !(isForgotten || passes(error, idempotent))) {
          // The next ones cannot follow what may not be there.
          this.#identity = undefined;
          const reason = wasOpen && !isOpen(error) ? lost(error) : error;
          return batch.forEach(({ reject }) => reject(reason));
        }
      }
      await pause(pauseMs, this.#world.closing);
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.most);
    }
  }

  async #send(
    messages: { readonly count: number; readonly bytes: Uint8Array },
    limitMs: number,
    isAgain: boolean,
  ): Promise<Produced> {
    if (!this.#world.idempotent) {
      return await this.#world.produce(this.#partition, undefined, messages, limitMs, isAgain);
    }
    if (this.#identity === undefined) {
      this.#identity = await this.#world.identify(limitMs);
      this.#sequence = 0;
    }
    const producer = { ...this.#identity, baseSequence: this.#sequence };
    const produced = await this.#world.produce(
      this.#partition,
      producer,
      messages,
      limitMs,
      isAgain,
    );
    this.#sequence += messages.count;
    // Sequences are numbers of 31 bits.
    if (this.#sequence > 0x7000_0000) this.#identity = undefined;
    return produced;
  }
}

/** Whether the same may succeed later, and is there once then. */
function passes(error: unknown, idempotent: boolean): boolean {
  if (isOpen(error)) return idempotent;
  return error instanceof TopicError &&
    (error.code === CODE.NOT_LEADER || error.code === CODE.OVERLOADED);
}

/** Whether servers do not know the producer any more, or expect another batch. */
function isLostTrack(error: unknown): boolean {
  return error instanceof TopicError &&
    (error.code === CODE.OUT_OF_ORDER_SEQUENCE || error.code === CODE.UNKNOWN_PRODUCER);
}
