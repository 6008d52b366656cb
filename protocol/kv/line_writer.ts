/**
 * A growing buffer of lines.
 *
 * @module
 */

import { utf8Length, writeUtf8 } from "../text.ts";

/** Texts up to this many units are written unit by unit, unless one of them is not ASCII. */
const SHORT_UNITS = 64;

const LINE_FEED = 0x0a;

/** Puts texts and bytes one after the other. */
export class LineWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** An empty writer with room for `capacity` bytes before it has to grow. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.max(16, capacity));
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

  /** What was written, not copied: it is written over after {@linkcode LineWriter.reset}. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written after the first `length` bytes, by default all of it, and keeps the buffer. */
  reset(length = 0): void {
    this.#length = length;
  }

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(length);
    const target = this.#bytes;
    const at = this.#length;
    if (length <= 32) {
      for (let i = 0; i < length; i++) target[at + i] = bytes[i] as number;
    } else {
      target.set(bytes, at);
    }
    this.#length = at + length;
  }

  /** Appends a text; halves of characters become U+FFFD. */
  text(text: string): void {
    if (text.length <= SHORT_UNITS && this.#ascii(text)) return;
    const whole = text.toWellFormed();
    const length = utf8Length(whole);
    this.#reserve(length);
    writeUtf8(this.#bytes, this.#length, whole);
    this.#length += length;
  }

  /** Appends the end of a line. */
  end(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = LINE_FEED;
  }

  #ascii(text: string): boolean {
    const { length } = text;
    this.#reserve(length);
    const target = this.#bytes;
    const at = this.#length;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      target[at + i] = unit;
    }
    this.#length = at + length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
