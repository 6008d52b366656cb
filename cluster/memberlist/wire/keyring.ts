/**
 * The shared secret keys of a cluster (docs/spec/memberlist.md 5.2).
 *
 * @module
 */

import { equalBytes } from "../../../protocol/bytes.ts";

/**
 * A key or a change that a {@linkcode Keyring} refuses. The texts are those of the Go library.
 *
 * @example
 * ```ts
 * import { Keyring, KeyringError } from "@skein/agent/cluster";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => new Keyring([new Uint8Array(5)]), KeyringError);
 * ```
 */
export class KeyringError extends Error {
  /** Names the class in logs. */
  override readonly name = "KeyringError";
}

/** Lengths of a key in bytes: AES-128, AES-192 and AES-256 (docs/spec/memberlist.md 5.1). */
const KEY_LENGTHS: readonly number[] = [16, 24, 32];

/**
 * An ordered list of keys. The first one, the primary, encrypts; every key is tried to decrypt, the
 * primary first. Keys are copied on the way in and out.
 *
 * @example Rotating to a new key
 * ```ts
 * import { Keyring } from "./keyring.ts";
 * import assert from "node:assert/strict";
 *
 * const before = new Uint8Array(32).fill(1);
 * const after = new Uint8Array(32).fill(2);
 * const keyring = new Keyring([before]);
 * keyring.add(after);
 * keyring.use(after);
 * keyring.remove(before);
 * assert.deepEqual(keyring.keys(), [after]);
 * ```
 */
export class Keyring {
  /** Never changed in place, so that a loop over it survives a change of the ring. */
  #keys: readonly Uint8Array[] = [];

  /**
   * A ring of `keys` with `primary` in front; without `primary` the first key is the primary.
   * Duplicates are ignored. Throws {@linkcode KeyringError} for a key of a wrong length.
   */
  constructor(keys: readonly Uint8Array[] = [], primary?: Uint8Array) {
    if (primary !== undefined) this.add(primary);
    for (const key of keys) this.add(key);
  }

  /** How many keys there are. Encryption is on when there is at least one. */
  get size(): number {
    return this.#keys.length;
  }

  /** The key that encrypts, or `undefined` when the ring is empty. Not a copy: do not change it. */
  get primary(): Uint8Array | undefined {
    return this.#keys[0];
  }

  /** Copies of all keys, the primary first. */
  keys(): Uint8Array[] {
    return this.#keys.map((key) => key.slice());
  }

  /** The keys in the order they are tried. Not copies: do not change them. */
  [Symbol.iterator](): IterableIterator<Uint8Array> {
    return this.#keys.values();
  }

  /**
   * Appends a key; does nothing when it is on the ring. The first key of an empty ring becomes the
   * primary. Throws {@linkcode KeyringError} unless the key has 16, 24 or 32 bytes.
   */
  add(key: Uint8Array): void {
    if (!KEY_LENGTHS.includes(key.length)) {
      throw new KeyringError("key size must be 16, 24 or 32 bytes");
    }
    if (this.#indexOf(key) < 0) this.#keys = [...this.#keys, key.slice()];
  }

  /**
   * Makes a key of the ring the primary; the others keep their order. Throws
   * {@linkcode KeyringError} when the key is not on the ring.
   */
  use(key: Uint8Array): void {
    const index = this.#indexOf(key);
    if (index < 0) throw new KeyringError("requested key is not in the keyring");
    const primary = this.#keys[index] as Uint8Array;
    this.#keys = [primary, ...this.#keys.filter((other) => other !== primary)];
  }

  /**
   * Removes a key; does nothing when it is not on the ring. Throws {@linkcode KeyringError} for the
   * primary.
   */
  remove(key: Uint8Array): void {
    const index = this.#indexOf(key);
    if (index === 0) throw new KeyringError("removing the primary key is not allowed");
    if (index > 0) this.#keys = this.#keys.filter((_, i) => i !== index);
  }

  #indexOf(key: Uint8Array): number {
    return this.#keys.findIndex((other) => equalBytes(other, key));
  }
}
