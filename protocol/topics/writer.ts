/**
 * A growing buffer of frames.
 *
 * @module
 */

import { crc32 } from "./zlib/checksum.ts";
import { putU32, putU64 } from "../bytes.ts";
import { utf8Length, writeUtf8 } from "../text.ts";
import { MAX_FRAME_BYTES } from "./limits.ts";

/** Texts up to this many units are written unit by unit, unless one of them is not ASCII. */
const SHORT_UNITS = 64;

/** Bytes up to so many are copied one by one. */
const SHORT_BYTES = 32;

/** Bytes of the length and of the checksum of a frame. */
const EDGE_BYTES = 4;

/** Puts values one after the other; all integers with their highest byte first. */
export class FrameWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** An empty writer with room for `capacity` bytes before it has to grow, or one that writes to a buffer first. */
  constructor(capacity: number | Uint8Array<ArrayBuffer> = 256) {
    this.#bytes = typeof capacity === "number" ? new Uint8Array(Math.max(16, capacity)) : capacity;
    const { buffer, byteOffset, length } = this.#bytes;
    this.#view = new DataView(buffer, byteOffset, length);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes the buffer holds before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** A copy of what was written; the writer may go on. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written, not copied: it is written over after {@linkcode FrameWriter.reset}. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written after the first `length` bytes, by default all of it, and keeps the buffer. */
  reset(length = 0): void {
    this.#length = length;
  }

  /** Begins a frame; returns where. */
  begin(): number {
    const start = this.#length;
    this.#length = this.#reserve(EDGE_BYTES);
    return start;
  }

  /**
   * Ends the frame that begins at `start` with its checksum, and gives it its length.
   *
   * @throws {RangeError} when it is too long; nothing is left of it
   */
  end(start: number): void {
    const from = start + EDGE_BYTES;
    const total = this.#length + EDGE_BYTES - start;
    if (total > MAX_FRAME_BYTES) {
      this.#length = start;
      throw new RangeError(`Frame takes ${total} of ${MAX_FRAME_BYTES} bytes`);
    }
    this.u32(crc32(this.#bytes.subarray(from, this.#length)));
    putU32(this.#bytes, start, total - EDGE_BYTES);
  }

  /** An integer of one byte. */
  u8(value: number): void {
    const end = this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length = end;
  }

  /** An integer of two bytes, with or without a sign. */
  u16(value: number): void {
    const end = this.#reserve(2);
    const at = this.#length;
    this.#bytes[at] = value >> 8;
    this.#bytes[at + 1] = value;
    this.#length = end;
  }

  /** An integer of four bytes, with or without a sign. */
  u32(value: number): void {
    const end = this.#reserve(4);
    putU32(this.#bytes, this.#length, value);
    this.#length = end;
  }

  /** An integer of eight bytes, of either sign, within 2^53-1. */
  i64(value: number): void {
    const end = this.#reserve(8);
    putU64(this.#bytes, this.#length, value);
    this.#length = end;
  }

  /** An integer of eight bytes, with or without a sign. */
  big64(value: bigint): void {
    const end = this.#reserve(8);
    this.#view.setBigInt64(this.#length, value);
    this.#length = end;
  }

  /** A text, and before it its length. */
  text(text: string): void {
    if (text.length <= SHORT_UNITS && this.#ascii(text)) return;
    const length = utf8Length(text);
    this.u32(length);
    const end = this.#reserve(length);
    writeUtf8(this.#bytes, this.#length, text);
    this.#length = end;
  }

  /** Bytes, and before them how many. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    const end = this.#reserve(length);
    const target = this.#bytes;
    const at = this.#length;
    if (length <= SHORT_BYTES) {
      for (let i = 0; i < length; i++) target[at + i] = bytes[i] as number;
    } else {
      target.set(bytes, at);
    }
    this.#length = end;
  }

  #ascii(text: string): boolean {
    const { length } = text;
    const end = this.#reserve(4 + length);
    const target = this.#bytes;
    const at = this.#length + 4;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      target[at + i] = unit;
    }
    putU32(target, at - 4, length);
    this.#length = end;
    return true;
  }

  /** Makes room for `count` bytes; returns where they end. */
  #reserve(count: number): number {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) this.#grow(needed);
    return needed;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
