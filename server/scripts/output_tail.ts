/**
 * The end of what a script prints (docs/spec/agent.md 6.9).
 *
 * @module
 */

/** Bytes of a script's output that are kept (docs/spec/agent.md 6.9). */
export const OUTPUT_LIMIT = 8_192;

/** Keeps the last {@linkcode OUTPUT_LIMIT} bytes of many. */
export class OutputTail {
  readonly #kept = new Uint8Array(OUTPUT_LIMIT);
  #length = 0;
  #total = 0;

  /** Bytes so far, those that are gone included. */
  get total(): number {
    return this.#total;
  }

  /** Takes bytes; the oldest ones make room. */
  add(bytes: Uint8Array): void {
    this.#total += bytes.length;
    const news = bytes.subarray(Math.max(0, bytes.length - OUTPUT_LIMIT));
    const surplus = Math.max(0, this.#length + news.length - OUTPUT_LIMIT);
    if (surplus > 0) this.#kept.copyWithin(0, surplus, this.#length);
    this.#length -= surplus;
    this.#kept.set(news, this.#length);
    this.#length += news.length;
  }

  /** A copy of what is kept. */
  bytes(): Uint8Array {
    return this.#kept.slice(0, this.#length);
  }
}
