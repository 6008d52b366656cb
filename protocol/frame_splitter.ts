/**
 * Cuts a stream of bytes into frames, wherever the network cut it.
 *
 * @module
 */

import { getU32, NO_BYTES } from "./bytes.ts";

const LENGTH_BYTES = 4;
const FIRST_BUFFER_BYTES = 256;

/** What frames hold, in bytes. */
export interface FrameBounds {
  /** At least; default 0. */
  readonly least?: number;
  /** At most. */
  readonly most: number;
  /** The error for a frame beyond them. */
  refuse(text: string): Error;
}

/**
 * A push parser: bytes cut anywhere go in, what frames hold after a length of four bytes comes out. It takes no memory for a
 * frame before the frame's bytes are there, and refuses one that is too long or too short as soon as its length is known.
 */
export class FrameSplitter {
  readonly #onFrame: (bytes: Uint8Array) => void;
  readonly #bounds: FrameBounds;
  /** The beginning of a frame, with its length, that came with earlier chunks. */
  #buffer = NO_BYTES;
  #buffered = 0;
  #failed = false;

  /** `onFrame` gets what each frame holds, synchronously and in order. */
  constructor(onFrame: (bytes: Uint8Array) => void, bounds: FrameBounds) {
    this.#onFrame = onFrame;
    this.#bounds = bounds;
  }

  /** Bytes that it holds of a frame which is not whole yet. */
  get pending(): number {
    return this.#buffered;
  }

  /**
   * Takes the next bytes. A frame that lies whole in `chunk` is handed out as a view of it, so a caller that reuses `chunk` must
   * be done with the frame when `onFrame` returns; any other comes in a buffer of its own.
   *
   * @throws {Error} that of the bounds for a frame beyond them, and on every call after that. What `onFrame` throws passes through
   * and has the same effect.
   */
  push(chunk: Uint8Array): void {
    if (this.#failed) throw this.#bounds.refuse("Stream was given up after an earlier error");
    this.#failed = true;
    let at = 0;
    while (at < chunk.length) {
      at += this.#buffered > 0 ? this.#fill(chunk, at) : this.#cut(chunk, at);
    }
    this.#failed = false;
  }

  /** Hands out the frame that begins at `at`, or keeps what is there of it; returns how many bytes that were. */
  #cut(chunk: Uint8Array, at: number): number {
    const left = chunk.length - at;
    const size = left < LENGTH_BYTES ? Infinity : this.#sizeOf(chunk, at);
    if (size > left) return this.#keep(chunk.subarray(at));
    this.#onFrame(chunk.subarray(at + LENGTH_BYTES, at + size));
    return size;
  }

  /** Goes on with the frame in the buffer; returns how many bytes of `chunk` belong to it. */
  #fill(chunk: Uint8Array, at: number): number {
    const known = this.#buffered >= LENGTH_BYTES;
    const end = known ? this.#sizeOf(this.#buffer, 0) : LENGTH_BYTES;
    const taken = this.#keep(chunk.subarray(at, at + end - this.#buffered));
    if (this.#buffered < end) return taken;
    // The length alone may be the whole frame.
    if (!known && this.#sizeOf(this.#buffer, 0) > LENGTH_BYTES) return taken;
    const frame = this.#buffer.subarray(LENGTH_BYTES, end);
    // Most connections are between two frames most of the time.
    this.#buffer = NO_BYTES;
    this.#buffered = 0;
    this.#onFrame(frame);
    return taken;
  }

  #keep(bytes: Uint8Array): number {
    const size = this.#buffered + bytes.length;
    if (size > this.#buffer.length) {
      const buffer = new Uint8Array(Math.max(size, this.#buffer.length * 2, FIRST_BUFFER_BYTES));
      buffer.set(this.#buffer.subarray(0, this.#buffered));
      this.#buffer = buffer;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered = size;
    return bytes.length;
  }

  /** Bytes of the frame that begins at `at`, with its length. */
  #sizeOf(bytes: Uint8Array, at: number): number {
    const length = getU32(bytes, at);
    const { least = 0, most } = this.#bounds;
    if (length >= least && length <= most) return LENGTH_BYTES + length;
    const text = length > most
      ? `${length} of ${most} bytes`
      : `${length} bytes, less than ${least}`;
    throw this.#bounds.refuse(`Frame takes ${text}`);
  }
}
