/**
 * Turns values into MessagePack bytes, in one of the two dialects the Serf wires use.
 *
 * @module
 */

import { utf8Length } from "../text.ts";
import { writeText } from "./text.ts";

/**
 * How values are written.
 *
 * `"gossip"`: the MessagePack of before 2013, where strings and byte strings are one family (`raw`) and
 * neither `str8` nor `bin` exist; integers from 0 up always take an unsigned form (docs/spec/memberlist.md 2.1, as
 * 0.9.4).
 *
 * `"rpc"`: today's MessagePack with `str8` and `bin`; a signed kind above 127 takes a signed form (docs/spec/agent.md 1.2).
 */
export type Dialect = "gossip" | "rpc";

const MAX_U32 = 0xffff_ffff;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const MIN_I64 = -0x8000_0000_0000_0000n;
const MAX_I64 = 0x7fff_ffff_ffff_ffffn;

/** A growing buffer of MessagePack values. Every method appends one value (or header) in its shortest form. */
export class Writer {
  /** The dialect every value is written in. */
  readonly dialect: Dialect;
  readonly #gossip: boolean;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** An empty writer with room for `capacity` bytes before it has to grow. */
  constructor(dialect: Dialect, capacity = 128) {
    this.dialect = dialect;
    this.#gossip = dialect === "gossip";
    this.#bytes = new Uint8Array(Math.max(16, capacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A copy of what was written; the writer may go on. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written, not copied: it is written over after {@linkcode Writer.reset}. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written after the first `length` bytes, by default all of it, and keeps the buffer. */
  reset(length = 0): void {
    this.#length = length;
  }

  /** Bytes the buffer holds before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Appends one byte that is not a MessagePack value, such as a message type. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Appends bytes that are already encoded. */
  raw(bytes: Uint8Array): void {
    const length = bytes.length;
    this.#reserve(length);
    const target = this.#bytes;
    const at = this.#length;
    if (length <= 24) {
      for (let i = 0; i < length; i++) target[at + i] = bytes[i] as number;
    } else {
      target.set(bytes, at);
    }
    this.#length = at + length;
  }

  /** nil. */
  nil(): void {
    this.byte(0xc0);
  }

  /** A boolean. */
  bool(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  /**
   * An integer of an unsigned kind.
   *
   * @throws {RangeError} when `value` is no integer, negative, a `number` above 2^53-1 or above 2^64-1
   */
  uint(value: number | bigint): void {
    if (typeof value === "bigint") {
      if (value > Number.MAX_SAFE_INTEGER) return this.#wide(0xcf, value, 0n, MAX_U64);
      value = Number(value);
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`Expected an unsigned integer to write, got ${value}`);
    }
    this.#reserve(9);
    const bytes = this.#bytes;
    const at = this.#length;
    if (value < 0x80) {
      bytes[at] = value;
      this.#length = at + 1;
    } else if (value < 0x100) {
      bytes[at] = 0xcc;
      bytes[at + 1] = value;
      this.#length = at + 2;
    } else if (value < 0x10000) {
      bytes[at] = 0xcd;
      bytes[at + 1] = value >> 8;
      bytes[at + 2] = value;
      this.#length = at + 3;
    } else if (value <= MAX_U32) {
      bytes[at] = 0xce;
      this.#view.setUint32(at + 1, value);
      this.#length = at + 5;
    } else {
      bytes[at] = 0xcf;
      this.#view.setUint32(at + 1, Math.floor(value / 0x1_0000_0000));
      this.#view.setUint32(at + 5, value >>> 0);
      this.#length = at + 9;
    }
  }

  /**
   * An integer of a signed kind.
   *
   * @throws {RangeError} when `value` is no integer, a `number` outside ±(2^53-1) or outside 64 bits
   */
  int(value: number | bigint): void {
    if (value >= 0 && (value < 0x80 || this.#gossip)) {
      if (typeof value === "bigint" && value > MAX_I64) this.#wide(0xd3, value, MIN_I64, MAX_I64);
      return this.uint(value);
    }
    if (typeof value === "bigint") {
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
        return this.#wide(0xd3, value, MIN_I64, MAX_I64);
      }
      value = Number(value);
    }
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`Expected an integer to write, got ${value}`);
    }
    this.#reserve(9);
    const at = this.#length;
    if (value >= -0x20 && value < 0) {
      this.#bytes[at] = value & 0xff;
      this.#length = at + 1;
    } else if (value >= -0x80 && value < 0x80) {
      this.#bytes[at] = 0xd0;
      this.#bytes[at + 1] = value & 0xff;
      this.#length = at + 2;
    } else if (value >= -0x8000 && value < 0x8000) {
      this.#bytes[at] = 0xd1;
      this.#view.setInt16(at + 1, value);
      this.#length = at + 3;
    } else if (value >= -0x8000_0000 && value < 0x8000_0000) {
      this.#bytes[at] = 0xd2;
      this.#view.setInt32(at + 1, value);
      this.#length = at + 5;
    } else {
      this.#bytes[at] = 0xd3;
      this.#view.setBigInt64(at + 1, BigInt(value));
      this.#length = at + 9;
    }
  }

  /** A float in 4 bytes, also when it is whole; precision beyond that is lost. */
  float32(value: number): void {
    this.#reserve(5);
    this.#bytes[this.#length] = 0xca;
    this.#view.setFloat32(this.#length + 1, value);
    this.#length += 5;
  }

  /** A float in 8 bytes, also when it is whole. */
  float64(value: number): void {
    this.#reserve(9);
    this.#bytes[this.#length] = 0xcb;
    this.#view.setFloat64(this.#length + 1, value);
    this.#length += 9;
  }

  /** A text, as its bytes. */
  str(value: string): void {
    if (value.length < 0x20 && this.#shortAscii(value)) return;
    const length = utf8Length(value);
    if (length < 0x20) this.byte(0xa0 | length);
    else if (length < 0x100 && !this.#gossip) this.#header8(0xd9, length);
    else this.#header(0xda, length);
    this.#reserve(length);
    writeText(this.#bytes, this.#length, value, length);
    this.#length += length;
  }

  /** Appends a text of less than 32 characters in one go, unless one of them is not ASCII. */
  #shortAscii(value: string): boolean {
    const count = value.length;
    this.#reserve(count + 1);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = 0xa0 | count;
    for (let i = 0; i < count; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.#length = at;
    return true;
  }

  /** A byte string; `null` is nil. */
  bytes(value: Uint8Array | null): void {
    if (value === null) return this.nil();
    const length = value.length;
    if (this.#gossip) {
      if (length < 0x20) this.byte(0xa0 | length);
      else this.#header(0xda, length);
    } else {
      if (length < 0x100) this.#header8(0xc4, length);
      else this.#header(0xc5, length);
    }
    this.raw(value);
  }

  /** Starts an array; the next `count` values are its elements. */
  arrayHeader(count: number): void {
    if (count < 0x10) this.byte(0x90 | count);
    else this.#header(0xdc, count);
  }

  /** Starts a map; the next `2 * count` values are its keys and values by turns. */
  mapHeader(count: number): void {
    if (count < 0x10) this.byte(0x80 | count);
    else this.#header(0xde, count);
  }

  #header8(type: number, length: number): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = type;
    this.#bytes[this.#length++] = length;
  }

  /** A length in 16 bits after `type16`, or in 32 bits after the type that follows it. */
  #header(type16: number, length: number): void {
    if (length > MAX_U32) throw new RangeError(`Length ${length} exceeds 32 bits`);
    this.#reserve(5);
    const at = this.#length;
    if (length < 0x10000) {
      this.#bytes[at] = type16;
      this.#view.setUint16(at + 1, length);
      this.#length = at + 3;
    } else {
      this.#bytes[at] = type16 + 1;
      this.#view.setUint32(at + 1, length);
      this.#length = at + 5;
    }
  }

  #wide(type: number, value: bigint, min: bigint, max: bigint): void {
    if (value < min || value > max) {
      throw new RangeError(`Expected an integer from ${min} to ${max} to write, got ${value}`);
    }
    this.#reserve(9);
    this.#bytes[this.#length] = type;
    this.#view.setBigUint64(this.#length + 1, BigInt.asUintN(64, value));
    this.#length += 9;
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
