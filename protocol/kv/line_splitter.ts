/**
 * Cuts a stream of bytes into lines, wherever the network cut it.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { MAX_LINE_BYTES, MAX_SKIPPED_BYTES } from "./limits.ts";

/** Handed out, and known by its identity, in the place of a line that is too long. */
export const TOO_LONG: Uint8Array = new Uint8Array([0]);

/** Handed out, and known by its identity, when a line is so long that its end is not waited for: nothing follows. */
export const ENDLESS: Uint8Array = new Uint8Array([0]);

/** Bounds of a {@linkcode LineSplitter}. */
export interface LineLimits {
  /** Longest line in bytes, without its end; also the most the splitter ever buffers, but for a byte. */
  readonly lineBytes: number;
  /** Bytes of a line beyond that which are passed over. */
  readonly skippedBytes: number;
}

/** Limits of the wire. */
const DEFAULT_LIMITS: LineLimits = {
  lineBytes: MAX_LINE_BYTES,
  skippedBytes: MAX_SKIPPED_BYTES,
};

const FIRST_BUFFER_BYTES = 256;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * A push parser: bytes cut anywhere go in, lines come out, each without its `\n` or `\r\n`. Empty lines are passed over. Of a
 * line that is too long, {@linkcode TOO_LONG} comes out as soon as that is known, and nothing else.
 */
export class LineSplitter {
  readonly #onLine: (line: Uint8Array) => void;
  readonly #limits: LineLimits;
  /** The beginning of a line that came with earlier chunks. */
  #buffer: Uint8Array = NO_BYTES;
  #buffered = 0;
  /** Bytes passed over of a line that is too long; -1 while none is. */
  #skipped = -1;
  #ended = 0;

  /** `onLine` gets every line, synchronously and in order. */
  constructor(onLine: (line: Uint8Array) => void, limits: LineLimits = DEFAULT_LIMITS) {
    this.#onLine = onLine;
    this.#limits = limits;
  }

  /** Bytes that it holds of a line which is not whole yet. */
  get pending(): number {
    return this.#buffered;
  }

  /** Whether it is inside a line. */
  get inside(): boolean {
    return this.#buffered > 0 || this.#skipped >= 0;
  }

  /** How many lines have ended, empty ones and those that were too long too. */
  get ended(): number {
    return this.#ended;
  }

  /**
   * Takes the next bytes. A line that lies whole in `chunk` is handed out as a view of it, so a caller that reuses `chunk` must
   * be done with the line when it does; any other line comes in a buffer of its own.
   */
  push(chunk: Uint8Array): void {
    let start = 0;
    while (start < chunk.length && this.#skipped !== Infinity) {
      const at = chunk.indexOf(LINE_FEED, start);
      const end = at < 0 ? chunk.length : at;
      if (this.#skipped >= 0) this.#skip(end - start);
      else if (at < 0) this.#keep(chunk.subarray(start));
      else if (this.#buffered === 0) this.#emit(chunk.subarray(start, end));
      else {
        this.#keep(chunk.subarray(start, end));
        this.#emitBuffer();
      }
      if (at < 0) return;
      if (this.#skipped !== Infinity) this.#skipped = -1;
      this.#ended++;
      start = at + 1;
    }
  }

  #emitBuffer(): void {
    const line = this.#buffer.subarray(0, this.#buffered);
    // Most connections are between two lines most of the time.
    this.#buffer = NO_BYTES;
    this.#buffered = 0;
    if (this.#skipped < 0) this.#emit(line);
  }

  #emit(bytes: Uint8Array): void {
    const line = bytes[bytes.length - 1] === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    if (line.length > this.#limits.lineBytes) this.#onLine(TOO_LONG);
    else if (line.length > 0) this.#onLine(line);
  }

  #keep(bytes: Uint8Array): void {
    const { lineBytes } = this.#limits;
    const size = this.#buffered + bytes.length;
    // One more may turn out to be part of the line's end.
    if (size > lineBytes + 1) return this.#overflow(size);
    if (size > this.#buffer.length) {
      const grown = Math.max(size, this.#buffer.length * 2, FIRST_BUFFER_BYTES);
      const buffer = new Uint8Array(Math.min(grown, lineBytes + 1));
      buffer.set(this.#buffer.subarray(0, this.#buffered));
      this.#buffer = buffer;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered = size;
    if (size > lineBytes && this.#buffer[lineBytes] !== CARRIAGE_RETURN) this.#overflow(size);
  }

  #overflow(size: number): void {
    this.#buffer = NO_BYTES;
    this.#buffered = 0;
    this.#skipped = 0;
    this.#onLine(TOO_LONG);
    this.#skip(size - this.#limits.lineBytes);
  }

  #skip(bytes: number): void {
    this.#skipped += bytes;
    if (this.#skipped <= this.#limits.skippedBytes) return;
    this.#skipped = Infinity;
    this.#onLine(ENDLESS);
  }
}
