/**
 * What waits to be sent to one peer: a bounded queue for each channel, of which every batch takes some, so that messages,
 * requests and news do not wait behind each other.
 *
 * @module
 */

import { FRAME_HEAD_BYTES } from "./frames.ts";
import { BATCH_BYTES, MAX_FRAME_BYTES, MAX_QUEUE_BYTES } from "./limits.ts";

/** What a frame is about, in the order in which a batch has them. */
const KINDS = ["message", "request", "news"] as const;

/** A frame that waits. */
export interface Waiting {
  readonly kind: typeof KINDS[number];
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
  readonly #queues: Readonly<Record<Waiting["kind"], Queue>> = {
    message: { waiting: [], bytes: 0 },
    request: { waiting: [], bytes: 0 },
    news: { waiting: [], bytes: 0 },
  };

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Bytes that wait. */
  get bytes(): number {
    const { message, request, news } = this.#queues;
    return message.bytes + request.bytes + news.bytes;
  }

  /** Adds a frame; `false` when it is too large or too much of its kind waits. */
  add(item: Waiting): boolean {
    const queue = this.#queues[item.kind];
    const { length } = item.frame;
    if (length > MAX_FRAME_BYTES + FRAME_HEAD_BYTES) return false;
    if (queue.bytes > 0 && queue.bytes + length > MAX_QUEUE_BYTES) return false;
    queue.waiting.push(item);
    queue.bytes += length;
    return true;
  }

  /** Takes the first frames of each queue, each up to {@linkcode BATCH_BYTES} or a single larger one. */
  take(): Waiting[] {
    return KINDS.flatMap((kind) => takeFrom(this.#queues[kind], BATCH_BYTES));
  }

  /** Takes everything, or everything of some kinds. */
  clear(kinds: readonly Waiting["kind"][] = KINDS): Waiting[] {
    return kinds.flatMap((kind) => takeFrom(this.#queues[kind], Infinity));
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
