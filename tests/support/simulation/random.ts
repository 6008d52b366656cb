/**
 * Seeded chance: the generator sfc32 (Chris Doty-Humphrey's Small Fast Counter, 128 bits of state,
 * passes PractRand), its state filled from the seed by splitmix32.
 *
 * @module
 */

import type { Random } from "../../../cluster/runtime.ts";

/** Turns of the generator that are thrown away so that near seeds part (the author's recommendation). */
const WARM_UP = 12;

/** A random source that one seed determines. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` and `stream` are taken modulo 2^32; each pair gives a sequence of its own. */
  constructor(seed: number, stream = 0) {
    let state = (seed ^ Math.imul(stream, 0x9e3779b9)) >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return mixed ^ (mixed >>> 16);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next() ^ stream;
    for (let i = 0; i < WARM_UP; i++) this.uint32();
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** A number in [0, 1) in steps of 2^-32. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32() >>> 24;
    return bytes;
  }
}
