/**
 * Cuts what comes from a peer: a preamble of fixed length, then blocks of `u32 length | bytes`. Memory grows with the bytes
 * that come, not with those that are claimed.
 *
 * @module
 */

import { getU32, NO_BYTES } from "../../../protocol/bytes.ts";
import type { Parser } from "../../net/conversation.ts";

/** Bytes of the length before a block. */
export const BLOCK_HEAD_BYTES = 4;

/** A block claims more bytes than it may have, or none. */
export class BlockError extends Error {
  /** "BlockError". */
  override readonly name = "BlockError";
}

/** Finds the preamble and the blocks in a stream of bytes. */
export class BlockParser implements Parser {
  /** Most bytes of a block, without its length. */
  limit: number;
  readonly #deliver: (block: Uint8Array) => void;
  /** Length of the preamble while it is awaited. */
  #preamble: number;
  /** The beginning of what is not whole yet. */
  #held = NO_BYTES;
  #length = 0;

  /** @param deliver Gets the preamble and each block, without its length; often a view of what was pushed. */
  constructor(preamble: number, limit: number, deliver: (block: Uint8Array) => void) {
    this.#preamble = preamble;
    this.limit = limit;
    this.#deliver = deliver;
  }

  /** Bytes that it holds of what is not whole yet. */
  get pending(): number {
    return this.#length;
  }

  /** Takes the next bytes. Throws {@linkcode BlockError}. */
  push(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#length > 0) rest = this.#fill(rest);
      else {
        const size = this.#sizeOf(rest, rest.length);
        if (size === undefined || size > rest.length) return this.#hold(rest, size ?? rest.length);
        this.#hand(rest.subarray(0, size));
        rest = rest.subarray(size);
      }
    }
  }

  /** Adds to what is held what belongs to it, and returns what follows. */
  #fill(bytes: Uint8Array): Uint8Array {
    const size = this.#sizeOf(this.#held, this.#length) ?? BLOCK_HEAD_BYTES;
    const part = bytes.subarray(0, size - this.#length);
    this.#hold(part, size);
    if (this.#length === size && this.#sizeOf(this.#held, this.#length) === size) {
      const whole = this.#held.subarray(0, size);
      this.#held = NO_BYTES;
      this.#length = 0;
      this.#hand(whole);
    }
    return bytes.subarray(part.length);
  }

  #hold(bytes: Uint8Array, size: number): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(size, 2 * needed)));
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#length);
    this.#length = needed;
  }

  #hand(whole: Uint8Array): void {
    if (this.#preamble > 0) {
      this.#preamble = 0;
      this.#deliver(whole);
    } else this.#deliver(whole.subarray(BLOCK_HEAD_BYTES));
  }

  /** Bytes of what begins with these `length` ones, with its head; `undefined` when they do not tell yet. */
  #sizeOf(bytes: Uint8Array, length: number): number | undefined {
    if (this.#preamble > 0) return this.#preamble;
    if (length < BLOCK_HEAD_BYTES) return undefined;
    const claimed = getU32(bytes, 0);
    if (claimed === 0 || claimed > this.limit) {
      throw new BlockError(`Block claims ${claimed} bytes, wanted 1 to ${this.limit}`);
    }
    return BLOCK_HEAD_BYTES + claimed;
  }
}
