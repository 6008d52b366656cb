/**
 * Reads the values of a message, each within what is there.
 *
 * @module
 */

import { getU32 } from "../bytes.ts";
import { MessageError } from "./errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A place in bytes that moves on with all that is read. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** Begins at the first of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
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

  /** An integer of eight bytes, with a sign. */
  i64(): bigint {
    const high = BigInt(this.u32() | 0);
    return high << 32n | BigInt(this.u32());
  }

  /** An integer of eight bytes, with a sign, from `least` to 2^53-1. */
  safe(least: number): number {
    const high = this.u32() | 0;
    // Rounded only where it is refused.
    const value = high * 0x1_0000_0000 + this.u32();
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new MessageError(`Message has the number ${value}, expected ${least} to 2^53-1`);
  }

  /** So many bytes, as a view. */
  take(length: number): Uint8Array {
    const start = this.#pass(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Where the next `length` bytes begin. */
  #pass(length: number): number {
    if (length > this.left) throw new MessageError(`Message lacks ${length - this.left} bytes`);
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

/** The text of bytes that must be UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new MessageError("Message has a text that is no UTF-8", { cause });
  }
}
