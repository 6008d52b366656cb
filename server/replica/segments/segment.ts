/**
 * One segment: what is in its file, and behind that in memory what is still to be written.
 *
 * @module
 */

import type { SegmentId } from "../../../cluster/machine/topics/segment.ts";
import { concatBytes } from "../../../protocol/bytes.ts";

/** Bytes that stand where there is nothing, so that what follows has its place. */
const NOTHING = new Uint8Array(1024 * 1024);

/** Bytes that are to be written, and their place. */
interface Chunk {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A segment of messages. */
export class Segment {
  /** Which one it is. */
  readonly id: SegmentId;
  /** Path of its file. */
  readonly path: string;
  /** Bytes in the file. */
  written: number;
  /** Whether an append has failed: something of it may be in the file. */
  isTorn = false;
  /** Whether the state has it no more. */
  isGone = false;
  /** From there on its bytes are not what they should be, at least some. */
  damagedAt: number | undefined;
  #tail: Chunk[] = [];
  #end: number;

  /** A segment with so many bytes in its file. */
  constructor(id: SegmentId, path: string, written = 0) {
    this.id = id;
    this.path = path;
    this.written = written;
    this.#end = written;
  }

  /** Bytes of it, those in memory among them. */
  get end(): number {
    return this.#end;
  }

  /** Bytes that are to be written. */
  get waiting(): number {
    return this.#end - this.written;
  }

  /**
   * Adds bytes. What it has already is left out, for equal entries give equal bytes; zeros stand for what is missing before them.
   *
   * @throws {RangeError} when it has some of them, and some not
   */
  add(position: number, bytes: Uint8Array): void {
    if (position + bytes.length <= this.#end) return;
    if (position < this.#end) {
      throw new RangeError(`Segment '${this.path}' has ${this.#end} bytes, append at ${position}`);
    }
    while (this.#end < position) {
      this.#push(NOTHING.subarray(0, Math.min(NOTHING.length, position - this.#end)));
    }
    this.#push(bytes);
  }

  /** The next bytes to be written, at most `most` but for one chunk; `undefined` without any. */
  next(most: number): Uint8Array | undefined {
    let count = 0;
    let bytes = 0;
    for (const chunk of this.#tail) {
      if (count > 0 && bytes + chunk.bytes.length > most) break;
      bytes += chunk.bytes.length;
      count++;
    }
    if (count === 0) return undefined;
    return concatBytes(this.#tail.slice(0, count).map((chunk) => chunk.bytes));
  }

  /** So many bytes more are in the file. */
  wrote(bytes: number): void {
    this.written += bytes;
    this.#tail.splice(0, this.#indexAt(this.written));
  }

  /** It has no more bytes than that: nothing that follows is to be written. */
  cut(length: number): void {
    this.#end = length;
    this.written = Math.min(this.written, length);
    this.#tail = [];
  }

  /** There is another file, without damage, of so many bytes. */
  replaced(length: number): void {
    this.written = length;
    this.#end = Math.max(this.#end, length);
    this.#tail.splice(0, this.#indexAt(length));
    this.damagedAt = undefined;
    this.isTorn = false;
  }

  /** What there is in memory of the bytes from `from` up to `to`. */
  inMemory(from: number, to: number): Uint8Array {
    const parts: Uint8Array[] = [];
    const start = Math.max(from, this.written);
    for (let i = this.#indexAt(start); i < this.#tail.length; i++) {
      const { at, bytes } = this.#tail[i] as Chunk;
      if (at >= to) break;
      parts.push(bytes.subarray(Math.max(0, start - at), to - at));
    }
    return concatBytes(parts);
  }

  #push(bytes: Uint8Array): void {
    this.#tail.push({ at: this.#end, bytes });
    this.#end += bytes.length;
  }

  /** Index of the chunk that has the byte at `position`, or of the first one behind it. */
  #indexAt(position: number): number {
    let [low, high] = [0, this.#tail.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { at, bytes } = this.#tail[middle] as Chunk;
      if (at + bytes.length <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
