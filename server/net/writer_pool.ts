/**
 * Buffers between two uses: an idle connection holds none.
 *
 * @module
 */

/** A growing buffer into which a codec writes messages. */
export interface ByteWriter {
  /** Bytes written so far. */
  readonly length: number;
  /** Bytes that it holds before it has to grow. */
  readonly capacity: number;
  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void;
  /** A copy of what was written. */
  finish(): Uint8Array;
  /** What was written, not copied: it is written over after {@linkcode ByteWriter.reset}. */
  view(): Uint8Array;
  /** Forgets what was written after the first `length` bytes, by default all of it, and keeps the buffer. */
  reset(length?: number): void;
}

/** What the writers of one pool hold together at most, in bytes. */
export const MAX_IDLE_BYTES = 2 * 1024 * 1024;

/** The idle writers of one port. */
export class WriterPool<W extends ByteWriter> {
  readonly #make: () => W;
  readonly #idle: W[] = [];
  #bytes = 0;

  /** @param make Gives a new, empty writer. */
  constructor(make: () => W) {
    this.#make = make;
  }

  /** An empty writer. */
  take(): W {
    const writer = this.#idle.pop();
    if (writer === undefined) return this.#make();
    this.#bytes -= writer.capacity;
    return writer;
  }

  /** Takes a writer back, unless the idle ones hold enough. Nothing may use what it has written any more. */
  give(writer: W): void {
    if (this.#bytes + writer.capacity > MAX_IDLE_BYTES) return;
    writer.reset();
    this.#idle.push(writer);
    this.#bytes += writer.capacity;
  }
}
