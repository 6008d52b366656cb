/**
 * Reads the values of a payload, each within what is there.
 *
 * @module
 */

import { getU32 } from "../bytes.ts";
import { PayloadError } from "./errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Texts up to this many bytes are read byte by byte, unless one of them is not ASCII. */
const SHORT_BYTES = 32;

/** A place in bytes that moves on with all that is read. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  /** Begins at `at` of `bytes`. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** An integer of one byte. */
  u8(): number {
    return this.#bytes[this.#pass(1)] as number;
  }

  /** An integer of two bytes. */
  u16(): number {
    const at = this.#pass(2);
    return (this.#bytes[at] as number) << 8 | (this.#bytes[at + 1] as number);
  }

  /** An integer of four bytes. */
  u32(): number {
    return getU32(this.#bytes, this.#pass(4));
  }

  /** An integer of eight bytes, with a sign; rounded where it is beyond 2^53. */
  i64(): number {
    const at = this.#pass(8);
    return (getU32(this.#bytes, at) | 0) * 0x1_0000_0000 + getU32(this.#bytes, at + 4);
  }

  /** An integer of eight bytes, with a sign, exactly. */
  big64(): bigint {
    const at = this.#pass(8);
    const high = BigInt(getU32(this.#bytes, at) | 0);
    return high << 32n | BigInt(getU32(this.#bytes, at + 4));
  }

  /** So many bytes, as a view. */
  take(length: number): Uint8Array {
    const start = this.#pass(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A text of at most `most` bytes, after its length. */
  text(most: number): string {
    const length = this.u32();
    if (length > most) throw new PayloadError(`A text takes ${length} of ${most} bytes`);
    const start = this.#pass(length);
    if (length > SHORT_BYTES) return textOf(this.#bytes.subarray(start, this.#at));
    let text = "";
    for (let at = start; at < this.#at; at++) {
      const byte = this.#bytes[at] as number;
      if (byte > 0x7f) return textOf(this.#bytes.subarray(start, this.#at));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** Checks that nothing is left. */
  end(): void {
    if (this.left > 0) throw new PayloadError(`${this.left} bytes too many`);
  }

  /** Where the next `length` bytes begin. */
  #pass(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) {
      throw new PayloadError(`${length - this.left} bytes are missing`);
    }
    this.#at = start + length;
    return start;
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder throws for nothing but bytes that are no UTF-8.
    throw new PayloadError("A text is no UTF-8");
  }
}
