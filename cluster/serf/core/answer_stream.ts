/**
 * A bounded stream of items between the network, which never waits, and a consumer who may be slow.
 *
 * @module
 */

/** Items in order. One consumer; what it does not fetch in time is refused at the door. */
export class BoundedStream<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  readonly #waiting: ((result: IteratorResult<T>) => void)[] = [];
  #closed = false;

  /** A stream that holds up to `capacity` items. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Puts an item in. Returns false, and drops it, when the stream is full or closed. */
  offer(item: T): boolean {
    if (this.#closed) return false;
    const consumer = this.#waiting.shift();
    if (consumer !== undefined) {
      consumer({ done: false, value: item });
      return true;
    }
    if (this.#items.length >= this.#capacity) return false;
    this.#items.push(item);
    return true;
  }

  /** Ends the stream; the consumer still gets what it holds. */
  close(): void {
    this.#closed = true;
    for (const consumer of this.#waiting.splice(0)) consumer({ done: true, value: undefined });
  }

  /** The items; ends when the stream is closed and empty. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        const item = this.#items.shift();
        if (item !== undefined) return Promise.resolve({ done: false, value: item });
        if (this.#closed) return Promise.resolve({ done: true, value: undefined });
        return new Promise((resolve) => this.#waiting.push(resolve));
      },
    };
  }
}
