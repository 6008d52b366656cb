/**
 * AES-192-GCM (NIST SP 800-38D) for 24-byte keys: Deno's `node:crypto` offers GCM for 16- and 32-byte keys only.
 * The cipher is `node:crypto`'s AES-192-CTR, the hash is `@noble/ciphers`' GHASH. Only 12-byte nonces, as
 * memberlist uses.
 *
 * @module
 */

import { ghash } from "@noble/ciphers/_polyval.js";
import { nodeCrypto } from "./_builtin.ts";

/** Bytes of a block, and of a tag. */
const BLOCK = 16;
const ZERO_BLOCK = new Uint8Array(BLOCK);

/** Encrypts `plaintext`; returns ciphertext ‖ tag. */
export function sealGcm192(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const { text, mask } = applyKeyStream(key, nonce, plaintext);
  const sealed = new Uint8Array(text.length + BLOCK);
  sealed.set(text);
  sealed.set(tagOf(key, mask, aad, text), text.length);
  return sealed;
}

/** Decrypts ciphertext ‖ tag; `undefined` when the tag does not fit. */
export function openGcm192(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const ciphertext = sealed.subarray(0, sealed.length - BLOCK);
  const tag = sealed.subarray(sealed.length - BLOCK);
  const { text, mask } = applyKeyStream(key, nonce, ciphertext);
  const fits = nodeCrypto().timingSafeEqual(tagOf(key, mask, aad, ciphertext), tag);
  return fits ? text : undefined;
}

/** Encrypts or decrypts. The first block of the key stream masks the tag, the rest the text (section 7.1). */
function applyKeyStream(
  key: Uint8Array,
  nonce: Uint8Array,
  text: Uint8Array,
): { text: Uint8Array; mask: Uint8Array } {
  const start = new Uint8Array(BLOCK);
  start.set(nonce);
  start[BLOCK - 1] = 1;
  const blocks = new Uint8Array(BLOCK + text.length);
  blocks.set(text, BLOCK);
  const applied = countUp(key, start, blocks);
  return { text: applied.subarray(BLOCK), mask: applied.subarray(0, BLOCK) };
}

/** The hash under the encrypted zero block, of the texts and their lengths in bits (sections 6.4 and 7.1). */
function tagOf(
  key: Uint8Array,
  mask: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const lengths = new DataView(new ArrayBuffer(BLOCK));
  lengths.setBigUint64(0, BigInt(aad.length) * 8n);
  lengths.setBigUint64(8, BigInt(ciphertext.length) * 8n);
  const hash = ghash.create(countUp(key, ZERO_BLOCK, ZERO_BLOCK));
  // Each update is padded with zeros to whole blocks.
  hash.update(aad).update(ciphertext).update(new Uint8Array(lengths.buffer));
  return hash.digest().map((byte, i) => byte ^ (mask[i] as number));
}

function countUp(key: Uint8Array, start: Uint8Array, text: Uint8Array): Uint8Array {
  const cipher = nodeCrypto().createCipheriv("aes-192-ctr", key, start);
  const applied = cipher.update(text);
  cipher.final();
  return new Uint8Array(applied.buffer, applied.byteOffset, applied.length);
}
