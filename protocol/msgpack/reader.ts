/**
 * Takes MessagePack values out of bytes, accepting every spelling of a value that a Go peer accepts.
 *
 * @module
 */

import { DecodeError, DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { decodeSecret, decodeText } from "./text.ts";

/** Where a number's bytes are put in order; holds nothing between two calls. */
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * A cursor over bytes that hold one or more MessagePack values.
 *
 * Every method takes the value at {@linkcode Reader.offset} in any of its spellings (docs/spec/agent.md 1.3,
 * docs/spec/memberlist.md 2.3) and moves past it; nil reads as the zero of the kind that was asked for. Every method
 * throws {@linkcode DecodeError} on another kind of value, on bytes that end in the middle and beyond a
 * limit; `offset` is undefined after that.
 */
export class Reader {
  /** The bytes being read. Byte strings that come out of the reader are views of them. */
  readonly bytes: Uint8Array;
  /** Where the next value starts. */
  offset: number;
  /** The bounds in force. */
  readonly limits: Limits;
  readonly #end: number;

  /** Reads `bytes` from `offset` on. */
  constructor(bytes: Uint8Array, offset = 0, limits: Limits = DEFAULT_LIMITS) {
    this.bytes = bytes;
    this.offset = offset;
    this.limits = limits;
    this.#end = bytes.length;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.offset;
  }

  /** The type byte of the next value, which stays unread. */
  peek(): number {
    if (this.offset >= this.#end) this.#truncated();
    return this.bytes[this.offset] as number;
  }

  /** Reads a nil when one is next, and tells whether it did. */
  nil(): boolean {
    if (this.peek() !== 0xc0) return false;
    this.offset++;
    return true;
  }

  /** A boolean, also spelt as the integer 0 or 1. */
  bool(): boolean {
    const start = this.offset;
    const type = this.peek();
    if (type === 0xc2 || type === 0xc3 || type === 0xc0) {
      this.offset++;
      return type === 0xc3;
    }
    const value = type === 0xca || type === 0xcb ? undefined : this.#integer();
    if (value !== 0 && value !== 1) this.#wrong("a boolean", start);
    return value === 1;
  }

  /** An integer from `min` to `max`, both within ±(2^53-1), in any width or as a whole float. */
  int(min: number, max: number): number {
    const start = this.offset;
    const type = this.peek();
    if (type < 0x80 && type >= min && type <= max) {
      this.offset++;
      return type;
    }
    const value = this.#integer();
    if (value === undefined) this.#wrong("an integer", start);
    if (typeof value === "bigint" || value < min || value > max) {
      this.#outOfRange(start, value, min, max);
    }
    return value;
  }

  /**
   * {@linkcode Reader.int} for a `min` of 0 or below -2^53 and a `max` above 2^53: a `number` when the value is a safe
   * integer, else a `bigint`.
   */
  wideInt(min: bigint, max: bigint): number | bigint {
    const start = this.offset;
    const value = this.#integer();
    if (value === undefined) this.#wrong("an integer", start);
    // Comparing a number with a bigint is slow, and a safe integer can only be too small.
    const outside = typeof value === "number"
      ? value < 0 && min === 0n
      : value < min || value > max;
    if (outside) this.#outOfRange(start, value, min, max);
    return value;
  }

  /** A float of either width, or an integer of any; an integer beyond 2^53 is rounded. */
  float(): number {
    const start = this.offset;
    const type = this.peek();
    if (type === 0xca || type === 0xcb) return this.#float();
    const value = this.#integer();
    if (value === undefined) this.#wrong("a number", start);
    return Number(value);
  }

  /** A text spelt as str, as bin or as an array of byte values. Bytes that are no UTF-8 stay in it. */
  str(): string {
    const type = this.peek();
    if (type === 0xc0) {
      this.offset++;
      return "";
    }
    if (isArrayType(type)) {
      const bytes = this.#byteArray();
      return decodeText(bytes, 0, bytes.length);
    }
    const length = this.rawHeader("a string");
    const start = this.offset;
    this.offset = start + length;
    return decodeText(this.bytes, start, start + length);
  }

  /** A text like {@linkcode Reader.str}, of which no copy is kept beside the result: for tokens and keys. */
  secret(): string {
    const bytes = this.byteString("a string");
    return bytes === null ? "" : decodeSecret(bytes);
  }

  /**
   * A byte string spelt as str, as bin (both give a view, not a copy) or as an array of byte values; nil is `null`.
   * `wanted` names what was expected, for the error.
   */
  byteString(wanted = "a byte string"): Uint8Array | null {
    const type = this.peek();
    if (type === 0xc0) {
      this.offset++;
      return null;
    }
    if (isArrayType(type)) return this.#byteArray();
    const length = this.rawHeader(wanted);
    const start = this.offset;
    this.offset = start + length;
    return this.bytes.subarray(start, start + length);
  }

  /**
   * The head of a str or bin: returns how many bytes of content follow at {@linkcode Reader.offset}, all of
   * them present. `wanted` names what was expected, for the error.
   */
  rawHeader(wanted: string): number {
    const start = this.offset;
    const type = this.peek();
    let length: number;
    if (type >= 0xa0 && type <= 0xbf) {
      this.offset++;
      length = type & 0x1f;
    } else if (type === 0xd9 || type === 0xc4) length = this.#uintBody(1);
    else if (type === 0xda || type === 0xc5) length = this.#uintBody(2);
    else if (type === 0xdb || type === 0xc6) length = this.#uintBody(4);
    else this.#wrong(wanted, start);
    this.#checkBytes(length, start);
    return length;
  }

  /** The head of an array: how many values follow. As many bytes are present at least. */
  arrayHeader(): number {
    const start = this.offset;
    const type = this.peek();
    let count: number;
    if (type >= 0x90 && type <= 0x9f) {
      this.offset++;
      count = type & 0x0f;
    } else if (type === 0xdc) count = this.#uintBody(2);
    else if (type === 0xdd) count = this.#uintBody(4);
    else this.#wrong("an array", start);
    this.#checkCount(count, 1, start);
    return count;
  }

  /** The head of a map: how many pairs follow. Twice as many bytes are present at least. */
  mapHeader(): number {
    const start = this.offset;
    const type = this.peek();
    let count: number;
    if (type >= 0x80 && type <= 0x8f) {
      this.offset++;
      count = type & 0x0f;
    } else if (type === 0xde) count = this.#uintBody(2);
    else if (type === 0xdf) count = this.#uintBody(4);
    else this.#wrong("a map", start);
    this.#checkCount(count, 2, start);
    return count;
  }

  /** The head of an extension: its type from -128 to 127, and its content as a view. */
  extension(): { type: number; data: Uint8Array } {
    const start = this.offset;
    const first = this.peek();
    let length: number;
    if (first >= 0xd4 && first <= 0xd8) {
      this.offset++;
      length = 1 << (first - 0xd4);
    } else if (first >= 0xc7 && first <= 0xc9) length = this.#uintBody(1 << (first - 0xc7));
    else this.#wrong("an extension", start);
    const type = (this.peek() << 24) >> 24;
    this.offset++;
    this.#checkBytes(length, start);
    const data = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return { type, data };
  }

  /** Moves past one value of any kind, with all that it contains. */
  skip(): void {
    this.#skip(this.limits.maxDepth);
  }

  #skip(depth: number): void {
    const start = this.offset;
    const type = this.peek();
    if (type < 0x80 || type >= 0xe0 || type === 0xc0 || type === 0xc2 || type === 0xc3) {
      this.offset++;
    } else if (isArrayType(type) || isMapType(type)) {
      if (depth === 0) {
        throw new DecodeError(`Values nest deeper than ${this.limits.maxDepth} at byte ${start}`);
      }
      const values = isArrayType(type) ? this.arrayHeader() : this.mapHeader() * 2;
      for (let i = 0; i < values; i++) this.#skip(depth - 1);
    } else if (type === 0xca || type === 0xcb) {
      this.#float();
    } else if (type >= 0xcc && type <= 0xd3) {
      this.#uintBody(1 << ((type - 0xcc) & 3));
    } else if ((type >= 0xc7 && type <= 0xc9) || (type >= 0xd4 && type <= 0xd8)) {
      this.extension();
    } else {
      const length = this.rawHeader("a value");
      this.offset += length;
    }
  }

  /** An integer of any spelling, nil as 0; `undefined` when the next value is something else. */
  #integer(): number | bigint | undefined {
    const type = this.peek();
    if (type < 0x80) {
      this.offset++;
      return type;
    }
    if (type >= 0xe0) {
      this.offset++;
      return type - 0x100;
    }
    switch (type) {
      case 0xcc:
        return this.#uintBody(1);
      case 0xcd:
        return this.#uintBody(2);
      case 0xce:
        return this.#uintBody(4);
      case 0xcf: {
        const value = this.#uintBody(8);
        return value <= Number.MAX_SAFE_INTEGER ? value : scratch.getBigUint64(0);
      }
      case 0xd0:
        return (this.#uintBody(1) << 24) >> 24;
      case 0xd1:
        return (this.#uintBody(2) << 16) >> 16;
      case 0xd2:
        return this.#uintBody(4) | 0;
      case 0xd3: {
        this.#uintBody(8);
        const value = scratch.getInt32(0) * 0x1_0000_0000 + scratch.getUint32(4);
        return Number.isSafeInteger(value) ? value : scratch.getBigInt64(0);
      }
      case 0xca:
      case 0xcb: {
        const value = this.#float();
        if (Number.isSafeInteger(value)) return value;
        return Number.isInteger(value) ? BigInt(value) : undefined;
      }
      case 0xc0:
        this.offset++;
        return 0;
      default:
        return undefined;
    }
  }

  #float(): number {
    if (this.bytes[this.offset] === 0xca) {
      this.#uintBody(4);
      return scratch.getFloat32(0);
    }
    this.#uintBody(8);
    return scratch.getFloat64(0);
  }

  /**
   * Moves past a type byte and the `width` bytes after it, and returns these as an unsigned integer, rounded
   * beyond 2^53. Widths 4 and 8 leave the bytes at the start of the scratch view.
   */
  #uintBody(width: number): number {
    const at = this.offset + 1;
    if (at + width > this.#end) this.#truncated();
    this.offset = at + width;
    const bytes = this.bytes;
    if (width === 1) return bytes[at] as number;
    if (width === 2) return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    for (let i = 0; i < width; i++) scratchBytes[i] = bytes[at + i] as number;
    const high = scratch.getUint32(0);
    return width === 4 ? high : high * 0x1_0000_0000 + scratch.getUint32(4);
  }

  #byteArray(): Uint8Array {
    const start = this.offset;
    const count = this.arrayHeader();
    if (count > this.limits.maxBytes) this.#checkBytes(count, start);
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.int(0, 0xff);
    return bytes;
  }

  #checkBytes(length: number, start: number): void {
    if (length > this.limits.maxBytes) {
      throw new DecodeError(
        `String at byte ${start} takes ${length} of ${this.limits.maxBytes} bytes`,
      );
    }
    if (length > this.#end - this.offset) this.#truncated();
  }

  #checkCount(count: number, bytesEach: number, start: number): void {
    if (count > this.limits.maxCount) {
      throw new DecodeError(
        `Container at byte ${start} has ${count} of ${this.limits.maxCount} elements`,
      );
    }
    if (count * bytesEach > this.#end - this.offset) this.#truncated();
  }

  #truncated(): never {
    throw new DecodeError(`Value is cut off at the end, byte ${this.#end}`);
  }

  #wrong(wanted: string, start: number): never {
    const type = (this.bytes[start] as number).toString(16).padStart(2, "0");
    throw new DecodeError(`Expected ${wanted} at byte ${start}, got type 0x${type}`);
  }

  #outOfRange(
    start: number,
    value: number | bigint,
    min: number | bigint,
    max: number | bigint,
  ): never {
    throw new DecodeError(
      `Expected an integer from ${min} to ${max} at byte ${start}, got ${value}`,
    );
  }
}

/** Whether `type` is the first byte of an array. */
export function isArrayType(type: number): boolean {
  return (type & 0xf0) === 0x90 || type === 0xdc || type === 0xdd;
}

/** Whether `type` is the first byte of a map. */
export function isMapType(type: number): boolean {
  return (type & 0xf0) === 0x80 || type === 0xde || type === 0xdf;
}
