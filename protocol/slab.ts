/**
 * Small byte strings that share memory.
 *
 * A buffer of its own costs more than all the rest of a small message: 200 to 500 nanoseconds to make, and as much again
 * when it is collected, against 50 for a view.
 *
 * @module
 */

/** Bytes of one shared buffer. It stays in memory as long as one of the byte strings in it does. */
const SLAB_BYTES = 2_048;

/** Longer byte strings get a buffer of their own: for them it matters less, and they would waste the rest of a slab. */
const LONGEST = SLAB_BYTES / 8;

/**
 * Gives byte strings room in buffers that several share. For those that live about equally long, of which a bounded number is
 * kept: each may keep 2 KiB. Their `buffer` must not be transferred.
 */
export class Slab {
  #bytes = new Uint8Array(SLAB_BYTES);
  #used = 0;

  /** A copy of `bytes`. */
  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    if (bytes.length > LONGEST) return new Uint8Array(bytes);
    const copy = this.take(bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** `length` zeros, to be filled. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > LONGEST) return new Uint8Array(length);
    if (this.#used + length > SLAB_BYTES) {
      this.#bytes = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const taken = new Uint8Array(this.#bytes.buffer, this.#used, length);
    this.#used += length;
    return taken;
  }
}
