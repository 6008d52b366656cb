/**
 * Memory for the messages of answers, between two uses: as much as a large fetch takes, anew for each, keeps the runtime busy with
 * finding out that it is free.
 *
 * @module
 */

/** Less than this is not kept; more is made as a multiple of it. */
const UNIT_BYTES = 64 * 1024;

/** The buffers of one port that nobody uses. */
export class Buffers {
  readonly #mostBytes: number;
  /** The one given back last comes last. */
  readonly #idle: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  /** Keeps so many bytes. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** A buffer of at least so many bytes, but no more than twice as many; anything may be in it. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes < UNIT_BYTES) return new Uint8Array(bytes);
    const found = this.#idle.findLastIndex(({ length }) => length >= bytes && length <= 2 * bytes);
    if (found < 0) return new Uint8Array(Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES);
    const [buffer] = this.#idle.splice(found, 1) as [Uint8Array<ArrayBuffer>];
    this.#bytes -= buffer.length;
    return buffer;
  }

  /** Takes a buffer back that nobody uses any more, unless the others take too much. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length < UNIT_BYTES || length > this.#mostBytes) return;
    this.#idle.push(buffer);
    this.#bytes += length;
    // Those that were too small for what is wanted go first.
    while (this.#bytes > this.#mostBytes) this.#bytes -= this.#idle.shift()?.length ?? 0;
  }
}
