/**
 * AES-192-GCM (NIST SP 800-38D) made from AES-192-CTR, because the runtime's `node:crypto` has GCM for
 * 16- and 32-byte keys only. Nonces are of 12 bytes, as in memberlist.
 *
 * @module
 */

import { createCipheriv, timingSafeEqual } from "node:crypto";

const BLOCK = 16;
/** Bytes of a GCM tag. */
const TAG_LENGTH = 16;

/** Encrypts `plaintext`; returns ciphertext ‖ tag. */
export function sealGcm192(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const counter = new Counter(key, nonce);
  const out = new Uint8Array(plaintext.length + TAG_LENGTH);
  out.set(counter.apply(plaintext));
  out.set(counter.tag(aad, out.subarray(0, plaintext.length)), plaintext.length);
  return out;
}

/** Decrypts ciphertext ‖ tag; `undefined` when the tag does not fit. */
export function openGcm192(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const counter = new Counter(key, nonce);
  const ciphertext = sealed.subarray(0, sealed.length - TAG_LENGTH);
  const tag = sealed.subarray(sealed.length - TAG_LENGTH);
  if (!timingSafeEqual(counter.tag(aad, ciphertext), tag)) return undefined;
  return counter.apply(ciphertext);
}

/** The key stream of one message: its first block hides the tag, the rest the text. */
class Counter {
  readonly #cipher;
  readonly #tagMask: Uint8Array;
  readonly #hashKey: Uint8Array;

  constructor(key: Uint8Array, nonce: Uint8Array) {
    const start = new Uint8Array(BLOCK);
    // The hash key is the encrypted zero block: the first key stream block for the counter 0.
    this.#hashKey = createCipheriv("aes-192-ctr", key, start).update(new Uint8Array(BLOCK));
    start.set(nonce);
    start[BLOCK - 1] = 1;
    this.#cipher = createCipheriv("aes-192-ctr", key, start);
    this.#tagMask = this.#cipher.update(new Uint8Array(BLOCK));
  }

  apply(text: Uint8Array): Uint8Array {
    return this.#cipher.update(text);
  }

  tag(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const tag = ghash(this.#hashKey, aad, ciphertext);
    for (let i = 0; i < TAG_LENGTH; i++) tag[i] = tag[i] as number ^ (this.#tagMask[i] as number);
    return tag;
  }
}

/**
 * What the four bits that leave on the right when a field element is shifted add on the left: the
 * carry-less product with 0xe1 (the field's polynomial, bits reversed), in the upper 16 bits.
 */
const REDUCTION = Uint32Array.from({ length: 16 }, (_, bits) => {
  let product = 0;
  for (let i = 0; i < 4; i++) if (bits & (1 << i)) product ^= 0xe100 >>> (3 - i);
  return product << 16;
});

/** GHASH over the padded `aad`, the padded `ciphertext` and their lengths, four bits at a time. */
function ghash(hashKey: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const multiples = multiplesOf(hashKey);
  const state = new Uint32Array(4);
  for (const part of [aad, ciphertext]) {
    for (let from = 0; from < part.length; from += BLOCK) {
      absorb(state, part.subarray(from, from + BLOCK), multiples);
    }
  }
  const sizes = new DataView(new ArrayBuffer(BLOCK));
  sizes.setBigUint64(0, BigInt(aad.length) * 8n);
  sizes.setBigUint64(8, BigInt(ciphertext.length) * 8n);
  absorb(state, new Uint8Array(sizes.buffer), multiples);

  const hash = new DataView(new ArrayBuffer(BLOCK));
  state.forEach((word, i) => hash.setUint32(i * 4, word));
  return new Uint8Array(hash.buffer);
}

/** The products of the key with the 16 polynomials of four bits, each four words, most significant first. */
function multiplesOf(hashKey: Uint8Array): Uint32Array {
  const table = new Uint32Array(64);
  const key = new DataView(hashKey.buffer, hashKey.byteOffset, BLOCK);
  for (let i = 0; i < 4; i++) table[8 * 4 + i] = key.getUint32(i * 4);
  // The bit order is reversed: 8 stands for 1, and halving the index multiplies by x.
  for (let index = 4; index >= 1; index >>>= 1) {
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const word = table[index * 2 * 4 + i] as number;
      table[index * 4 + i] = (word >>> 1) | carry;
      carry = word << 31;
    }
    if (carry !== 0) table[index * 4] = table[index * 4] as number ^ 0xe1000000;
  }
  for (let high = 2; high <= 8; high *= 2) {
    for (let low = 1; low < high; low++) {
      for (let i = 0; i < 4; i++) {
        table[(high + low) * 4 + i] = table[high * 4 + i] as number ^
          (table[low * 4 + i] as number);
      }
    }
  }
  return table;
}

/** Adds one block (short: padded with zeros) to the state and multiplies it by the key. */
function absorb(state: Uint32Array, block: Uint8Array, multiples: Uint32Array): void {
  let z0 = 0, z1 = 0, z2 = 0, z3 = 0;
  for (let i = BLOCK - 1; i >= 0; i--) {
    const held = (state[i >>> 2] as number) >>> (24 - 8 * (i & 3));
    const byte = (held ^ (block[i] ?? 0)) & 0xff;
    for (let shift = 0; shift <= 4; shift += 4) {
      const lost = z3 & 15;
      z3 = (z3 >>> 4) | (z2 << 28);
      z2 = (z2 >>> 4) | (z1 << 28);
      z1 = (z1 >>> 4) | (z0 << 28);
      z0 = (z0 >>> 4) ^ (REDUCTION[lost] as number);
      const at = ((byte >>> shift) & 15) * 4;
      z0 ^= multiples[at] as number;
      z1 ^= multiples[at + 1] as number;
      z2 ^= multiples[at + 2] as number;
      z3 ^= multiples[at + 3] as number;
    }
  }
  state[0] = z0;
  state[1] = z1;
  state[2] = z2;
  state[3] = z3;
}
