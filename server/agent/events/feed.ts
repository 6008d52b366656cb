/**
 * Events as they happen, for a program that reads them in its own time.
 *
 * @module
 */

import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import { BoundedStream } from "../../../cluster/serf/core/answer_stream.ts";
import type { Listeners } from "./listeners.ts";

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
  /** Events that the reader has lost because it read too slowly. */
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

/** The events of one agent, as feeds. */
export class EventFeeds {
  readonly #listeners: Listeners;
  readonly #open = new Set<{ close(): void }>();

  /** No feed is open yet. */
  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  /**
   * Opens a feed of the events that `wants` picks.
   *
   * @throws {RangeError} when the buffer size is not a whole number above 0
   */
  open<T extends SerfEvent>(
    wants: (event: SerfEvent) => event is T,
    { bufferSize = DEFAULT_BUFFER_SIZE }: FeedOptions = {},
  ): EventFeed<T> {
    if (!Number.isInteger(bufferSize) || bufferSize < 1) {
      throw new RangeError(`Buffer size must be a whole number above 0, got ${bufferSize}`);
    }
    const feed = new Feed<T>(bufferSize, () => {
      unsubscribe();
      this.#open.delete(feed);
    });
    const unsubscribe = this.#listeners.add((event) => void (wants(event) && feed.take(event)));
    this.#open.add(feed);
    return feed;
  }

  /** Ends every feed. */
  close(): void {
    for (const feed of this.#open) feed.close();
  }
}

class Feed<T> implements EventFeed<T> {
  readonly #stream: BoundedStream<T>;
  readonly #onClose: () => void;
  #dropped = 0;

  constructor(capacity: number, onClose: () => void) {
    this.#stream = new BoundedStream(capacity);
    this.#onClose = onClose;
  }

  get dropped(): number {
    return this.#dropped;
  }

  take(event: T): void {
    if (!this.#stream.offer(event)) this.#dropped++;
  }

  close(): void {
    this.#onClose();
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

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
