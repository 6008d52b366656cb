/**
 * Authenticated encryption of packets and stream frames (docs/spec/memberlist.md 5.1):
 * `version(1) ‖ nonce(12) ‖ AES-GCM ciphertext ‖ tag(16)`.
 *
 * Synchronous, so that a packet is handled in the turn in which it arrived.
 *
 * @module
 */

import type { Random } from "../../runtime.ts";
import { nodeCrypto } from "./_builtin.ts";
import type * as Gcm192 from "./_gcm192.ts";
import type { Keyring } from "./keyring.ts";

/**
 * How the plaintext is laid out: 0 pads it to a multiple of 16 bytes, 1 leaves it as it is. A node sends
 * 0 when it speaks protocol 1, else 1, and reads both.
 */
export type EncryptionVersion = 0 | 1;

const VERSION_LENGTH = 1;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const PAD_BLOCK = 16;

/** Loaded late, as few clusters have keys of 24 bytes; it never changes. */
let gcm192: typeof Gcm192 | undefined;

/** Loads what {@linkcode seal} and {@linkcode unseal} need for 24-byte keys, once. Rejects when it is not installed. */
export async function loadCiphers(): Promise<void> {
  gcm192 ??= await import("./_gcm192.ts");
}

/** What sealing with version 1 adds, and what every sealed blob has at least, in bytes. */
const SEAL_OVERHEAD = VERSION_LENGTH + NONCE_LENGTH + TAG_LENGTH;

/** The most that sealing can add, in bytes: 29 for version 1, 45 for version 0. */
export function sealOverhead(version: EncryptionVersion): number {
  return version === 0 ? SEAL_OVERHEAD + PAD_BLOCK : SEAL_OVERHEAD;
}

/** Length in bytes of the blob that {@linkcode seal} makes of `plaintextLength` bytes. */
export function sealedLength(plaintextLength: number, version: EncryptionVersion): number {
  const padding = version === 0 ? PAD_BLOCK - plaintextLength % PAD_BLOCK : 0;
  return plaintextLength + padding + SEAL_OVERHEAD;
}

/** A blob that cannot be decrypted: malformed, or sealed with none of our keys. */
export class DecryptError extends Error {
  /** Names the class in logs. */
  override readonly name = "DecryptError";
}

/** Encrypts `plaintext` with `key` and a fresh nonce; `aad` is authenticated but not part of the blob. */
export function seal(
  plaintext: Uint8Array,
  key: Uint8Array,
  version: EncryptionVersion,
  aad: Uint8Array,
  random: Random,
): Uint8Array {
  const nonce = random.bytes(NONCE_LENGTH);
  const sealed = new Uint8Array(sealedLength(plaintext.length, version));
  sealed[0] = version;
  sealed.set(nonce, VERSION_LENGTH);
  encrypt(
    sealed.subarray(VERSION_LENGTH + NONCE_LENGTH),
    key,
    nonce,
    aad,
    version === 0 ? padded(plaintext) : plaintext,
  );
  return sealed;
}

/**
 * Decrypts a blob with the first key of `keyring` that fits; reads both versions. The result may be
 * empty. Throws {@linkcode DecryptError}.
 */
export function unseal(sealed: Uint8Array, keyring: Keyring, aad: Uint8Array): Uint8Array {
  const version = sealed[0];
  if (version !== 0 && version !== 1) {
    throw new DecryptError(`Encryption version is ${version ?? "missing"}, known are 0 and 1`);
  }
  const least = sealOverhead(version);
  if (sealed.length < least) {
    throw new DecryptError(`Encrypted data takes ${sealed.length} bytes, needs at least ${least}`);
  }
  const nonce = sealed.subarray(VERSION_LENGTH, VERSION_LENGTH + NONCE_LENGTH);
  const body = sealed.subarray(VERSION_LENGTH + NONCE_LENGTH);
  for (const key of keyring) {
    const plaintext = decrypt(key, nonce, aad, body);
    if (plaintext !== undefined) return version === 0 ? unpadded(plaintext) : plaintext;
  }
  throw new DecryptError("no installed keys could decrypt the message");
}

function encrypt(
  out: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): void {
  if (key.length === 24) {
    out.set(ciphers192().sealGcm192(key, nonce, aad, plaintext));
    return;
  }
  const cipher = nodeCrypto().createCipheriv(gcmName(key), key, nonce);
  if (aad.length > 0) cipher.setAAD(aad);
  out.set(cipher.update(plaintext));
  cipher.final();
  out.set(cipher.getAuthTag(), plaintext.length);
}

/** The plaintext of ciphertext ‖ tag, or `undefined` when the tag does not fit the key. */
function decrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  body: Uint8Array,
): Uint8Array | undefined {
  if (key.length === 24) {
    const plaintext = ciphers192().openGcm192(key, nonce, aad, body);
    return plaintext && plainView(plaintext);
  }
  const textLength = body.length - TAG_LENGTH;
  const decipher = nodeCrypto().createDecipheriv(gcmName(key), key, nonce, {
    authTagLength: TAG_LENGTH,
  });
  if (aad.length > 0) decipher.setAAD(aad);
  decipher.setAuthTag(body.subarray(textLength));
  const plaintext = decipher.update(body.subarray(0, textLength));
  try {
    decipher.final();
  } catch {
    // The tag does not fit: the packet is forged or of another key.
    return undefined;
  }
  return plainView(plaintext);
}

function ciphers192(): typeof Gcm192 {
  if (gcm192 === undefined) throw new Error("24-byte keys need 'await loadCiphers()' before");
  return gcm192;
}

/** Without the methods of Node's `Buffer`, whose `slice` does not copy. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function gcmName(key: Uint8Array): "aes-128-gcm" | "aes-256-gcm" {
  return key.length === 16 ? "aes-128-gcm" : "aes-256-gcm";
}

/** Appends 1 to 16 bytes, each of the value of their count (PKCS#7). */
function padded(plaintext: Uint8Array): Uint8Array {
  const padding = PAD_BLOCK - plaintext.length % PAD_BLOCK;
  const out = new Uint8Array(plaintext.length + padding).fill(padding, plaintext.length);
  out.set(plaintext);
  return out;
}

/** Takes off as many bytes as the last one says; like the reference, does not look at the others. */
function unpadded(plaintext: Uint8Array): Uint8Array {
  const padding = plaintext[plaintext.length - 1] as number;
  if (padding > plaintext.length) {
    throw new DecryptError(`Padding of ${padding} bytes in ${plaintext.length} bytes`);
  }
  return plaintext.subarray(0, plaintext.length - padding);
}
