/**
 * Cuts a stream of bytes into whole MessagePack values, wherever the network cut it.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { DecodeError, type Limits, withDefaultLimits } from "./limits.ts";

/** Bounds of a {@linkcode Splitter}. */
export interface SplitterLimits extends Limits {
  /** Bytes of one whole value with all that it contains; also the most the splitter ever buffers. */
  readonly maxValueBytes: number;
}

/** Room for the members of a cluster of 100,000 nodes, some 350 bytes each. */
const DEFAULT_MAX_VALUE_BYTES = 32 * 1024 * 1024;

const FIRST_BUFFER_BYTES = 256;

/** Bytes of length after the types that have one: bin, ext, str, array, map. */
const LENGTH_WIDTH: Readonly<Record<number, number>> = {
  0xc4: 1,
  0xc5: 2,
  0xc6: 4,
  0xc7: 1,
  0xc8: 2,
  0xc9: 4,
  0xd9: 1,
  0xda: 2,
  0xdb: 4,
  0xdc: 2,
  0xdd: 4,
  0xde: 2,
  0xdf: 4,
};

/**
 * A push parser: bytes cut anywhere go in, whole values come out.
 *
 * It looks at every byte once and keeps where it is inside an unfinished value, so a value that arrives
 * byte by byte costs no more than one that arrives whole. Values are not decoded, only measured.
 */
export class Splitter {
  readonly #onValue: (value: Uint8Array) => void;
  readonly #limits: SplitterLimits;

  /** Bytes of the unfinished value that came with earlier chunks. */
  #buffer = NO_BYTES;
  #buffered = 0;
  /** Per open container, from the outermost, how many values it still lacks. */
  readonly #open: number[] = [];
  /** Bytes to pass over before the value at hand ends. */
  #content = 0;
  /** The type whose length is being read, how many bytes of it are missing, and its value so far. */
  #lengthType = 0;
  #lengthMissing = 0;
  #length = 0;
  #failed = false;

  /** `onValue` gets every whole value, synchronously and in order. It must not call {@linkcode Splitter.push}. */
  constructor(onValue: (value: Uint8Array) => void, limits?: Partial<SplitterLimits>) {
    this.#onValue = onValue;
    this.#limits = {
      ...withDefaultLimits(limits),
      maxValueBytes: limits?.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES,
    };
  }

  /** Bytes of the unfinished value at the end of what was pushed. */
  get pending(): number {
    return this.#buffered;
  }

  /**
   * Takes the next bytes of the stream. A value that lies whole in `chunk` is handed out as a view of it, so
   * a caller that reuses `chunk` must be done with the value when `onValue` returns; any other value comes in a
   * buffer of its own.
   *
   * @throws {DecodeError} on a byte that starts no value and beyond a limit, and on every call after that: a
   * stream out of step cannot be brought back. What `onValue` throws passes through and has the same effect.
   */
  push(chunk: Uint8Array): void {
    if (this.#failed) throw new DecodeError("Stream was given up after an earlier error");
    this.#failed = true;
    this.#split(chunk);
    this.#failed = false;
  }

  #split(chunk: Uint8Array): void {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      let ended: boolean;
      if (this.#content > 0) {
        const taken = Math.min(this.#content, chunk.length - at);
        at += taken;
        this.#content -= taken;
        ended = this.#content === 0;
      } else {
        const byte = chunk[at++] as number;
        ended = this.#lengthMissing > 0 ? this.#continueLength(byte) : this.#begin(byte);
        if (this.#content > 0) this.#checkSize(this.#buffered + at - start + this.#content);
      }
      if (ended && this.#closeContainers()) {
        this.#emit(chunk.subarray(start, at));
        start = at;
      }
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Takes the first byte of a value; returns whether the value ends with it. */
  #begin(type: number): boolean {
    if (type < 0x80 || type >= 0xe0) return true;
    if (type < 0x90) return this.#openContainer((type & 0x0f) * 2);
    if (type < 0xa0) return this.#openContainer(type & 0x0f);
    if (type < 0xc0) return this.#expect(type & 0x1f);
    switch (type) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return true;
      case 0xca:
        return this.#expect(4);
      case 0xcb:
        return this.#expect(8);
      case 0xc1:
        throw new DecodeError("Expected a value, got the unused type 0xc1");
    }
    if (type >= 0xcc && type <= 0xd3) return this.#expect(1 << ((type - 0xcc) & 3));
    if (type >= 0xd4 && type <= 0xd8) return this.#expect(1 + (1 << (type - 0xd4)));
    this.#lengthType = type;
    this.#lengthMissing = LENGTH_WIDTH[type] as number;
    this.#length = 0;
    return false;
  }

  /** Takes the next byte of a length; returns whether the value ends with it. */
  #continueLength(byte: number): boolean {
    this.#length = this.#length * 0x100 + byte;
    if (--this.#lengthMissing > 0) return false;
    const type = this.#lengthType;
    const length = this.#length;
    if (type >= 0xdc) {
      if (length > this.#limits.maxCount) {
        throw new DecodeError(`Container has ${length} of ${this.#limits.maxCount} elements`);
      }
      return this.#openContainer(type >= 0xde ? length * 2 : length);
    }
    if (length > this.#limits.maxBytes) {
      throw new DecodeError(`String takes ${length} of ${this.#limits.maxBytes} bytes`);
    }
    const isExtension = type >= 0xc7 && type <= 0xc9;
    return this.#expect(isExtension ? length + 1 : length);
  }

  #expect(bytes: number): boolean {
    this.#content = bytes;
    return bytes === 0;
  }

  #openContainer(values: number): boolean {
    if (this.#open.length >= this.#limits.maxDepth) {
      throw new DecodeError(`Values nest deeper than ${this.#limits.maxDepth}`);
    }
    if (values === 0) return true;
    this.#open.push(values);
    return false;
  }

  /** Counts an ended value in the containers around it; returns whether the outermost ended with it. */
  #closeContainers(): boolean {
    const open = this.#open;
    while (open.length > 0) {
      if (--(open[open.length - 1] as number) > 0) return false;
      open.pop();
    }
    return true;
  }

  #emit(tail: Uint8Array): void {
    if (this.#buffered === 0) {
      this.#checkSize(tail.length);
      return this.#onValue(tail);
    }
    this.#keep(tail);
    const value = this.#buffer.subarray(0, this.#buffered);
    // Most connections are between two values most of the time.
    this.#buffer = NO_BYTES;
    this.#buffered = 0;
    this.#onValue(value);
  }

  #keep(bytes: Uint8Array): void {
    const size = this.#buffered + bytes.length;
    this.#checkSize(size);
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2, FIRST_BUFFER_BYTES));
      grown.set(this.#buffer.subarray(0, this.#buffered));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered = size;
  }

  #checkSize(size: number): void {
    if (size > this.#limits.maxValueBytes) {
      throw new DecodeError(`Value takes ${size} or more of ${this.#limits.maxValueBytes} bytes`);
    }
  }
}
