/**
 * What waits to be sent to one peer: a bounded queue for each channel, of which every batch takes some, so that messages do
 * not wait behind requests, nor these behind them.
 *
 * @module
 */

import { FRAME_HEAD_BYTES } from "./frames.ts";
import { BATCH_BYTES, MAX_FRAME_BYTES, MAX_QUEUE_BYTES } from "./limits.ts";

/** A frame that waits. */
export interface Waiting {
  readonly frame: Uint8Array;
  /** Number of the request, if it is one. */
  readonly request?: number;
}

/** The frames of one channel. */
interface Queue {
  readonly waiting: Waiting[];
  bytes: number;
}

/** Frames on their way to one peer. */
export class Outgoing {
  /** In the order of their channels, which is the order in a batch. */
  readonly #queues: readonly [Queue, Queue] = [{ waiting: [], bytes: 0 }, {
    waiting: [],
    bytes: 0,
  }];

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#queues[0].bytes + this.#queues[1].bytes;
  }

  /** Adds a frame, a message or a request; `false` when it is too large or too much waits. */
  add(item: Waiting): boolean {
    const queue = this.#queues[item.request === undefined ? 0 : 1];
    const { length } = item.frame;
    if (length > MAX_FRAME_BYTES + FRAME_HEAD_BYTES) return false;
    if (queue.bytes > 0 && queue.bytes + length > MAX_QUEUE_BYTES) return false;
    queue.waiting.push(item);
    queue.bytes += length;
    return true;
  }

  /** Takes the first frames of each queue, each up to {@linkcode BATCH_BYTES} or a single larger one. */
  take(): Waiting[] {
    return this.#queues.flatMap((queue) => takeFrom(queue, BATCH_BYTES));
  }

  /** Takes everything. */
  clear(): Waiting[] {
    return this.#queues.flatMap((queue) => takeFrom(queue, Infinity));
  }
}

function takeFrom(queue: Queue, most: number): Waiting[] {
  let count = 0;
  let bytes = 0;
  for (const { frame } of queue.waiting) {
    if (count > 0 && bytes + frame.length > most) break;
    count++;
    bytes += frame.length;
  }
  queue.bytes -= bytes;
  return queue.waiting.splice(0, count);
}
