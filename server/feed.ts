/**
 * What happens, for a program that reads it in its own time.
 *
 * @module
 */

import { BoundedStream } from "../cluster/serf/core/answer_stream.ts";

/**
 * Events from the moment the feed was opened. One reader. Ends with the agent, when the loop over it is left, and at
 * {@linkcode EventFeed.close}; what was waiting then can still be read.
 *
 * A reader that falls behind loses the newest events, and sees how many in {@linkcode EventFeed.dropped}.
 *
 * @example
 * ```ts
 * import { Agent, type EventFeed, type MemberEvent } from "@skein/agent";
 *
 * async function watch(feed: EventFeed<MemberEvent>): Promise<void> {
 *   for await (const { type, members } of feed) console.log(type, members.length);
 *   console.log("lost:", feed.dropped);
 * }
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const watching = watch(agent.memberEvents());
 * await agent.shutdown();
 * await watching;
 * ```
 */
export interface EventFeed<T> extends AsyncIterable<T>, Disposable {
  /** Events that the reader has lost because it read too slowly; of messages, also those lost on their way to the agent. */
  readonly dropped: number;
  /** Takes no more events. Safe to call again. */
  close(): void;
}

/**
 * How to open a feed.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * using feed = agent.userEvents("deploy", { bufferSize: 16 });
 * console.log(feed.dropped);
 * ```
 */
export interface FeedOptions {
  /** Events that wait for the reader at most, 1 or more; each takes up to some 10 KB. Default 1,024. */
  readonly bufferSize?: number;
}

/** What a feed holds unless it is told otherwise: as much as the streams of a client. */
const DEFAULT_BUFFER_SIZE = 1_024;

/** A feed, as who fills it has it. */
export class Feed<T> implements EventFeed<T> {
  readonly #stream: BoundedStream<T>;
  readonly #onClose: () => void;
  #dropped = 0;

  /**
   * @param onClose Called when nobody reads any more; perhaps again and again.
   * @throws {RangeError} when the buffer size is not a whole number above 0
   */
  constructor({ bufferSize = DEFAULT_BUFFER_SIZE }: FeedOptions, onClose: () => void) {
    if (!Number.isInteger(bufferSize) || bufferSize < 1) {
      throw new RangeError(`Buffer size must be a whole number above 0, got ${bufferSize}`);
    }
    this.#stream = new BoundedStream(bufferSize);
    this.#onClose = onClose;
  }

  /** See {@linkcode EventFeed.dropped}. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an event, or drops it. */
  take(event: T): void {
    if (!this.#stream.offer(event)) this.#dropped++;
  }

  /** So many events were lost on their way to here. */
  miss(count: number): void {
    this.#dropped += count;
  }

  /** See {@linkcode EventFeed.close}. */
  close(): void {
    this.#onClose();
    this.#stream.close();
  }

  /** {@linkcode Feed.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The events. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    const events = this.#stream[Symbol.asyncIterator]();
    let left = false;
    return {
      next: () => left ? Promise.resolve({ done: true, value: undefined }) : events.next(),
      return: () => {
        left = true;
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
