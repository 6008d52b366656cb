/**
 * Events as they happen, for a program that reads them in its own time.
 *
 * @module
 */

import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import { type EventFeed, Feed, type FeedOptions } from "../../feed.ts";
import type { Listeners } from "./listeners.ts";

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
    options: FeedOptions = {},
  ): EventFeed<T> {
    const feed = new Feed<T>(options, () => {
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
