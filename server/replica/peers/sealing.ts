/**
 * Seals what is said on one connection, in the way of gossip and with its keys (docs/spec/memberlist.md 5).
 *
 * Each key of the ring gives a key for this connection alone, by HMAC-SHA-256 over both nonces: what was sealed on another
 * connection opens nothing here, and chance nonces are too few to meet again. Direction and number of the block are
 * authenticated, so that one that is repeated, left out, moved or sent back does not open.
 *
 * @module
 */

import { createHmac } from "node:crypto";
import { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import { DecryptError, seal, unseal } from "../../../cluster/memberlist/wire/seal.ts";
import type { Random } from "../../../cluster/runtime.ts";
import { concatBytes, putU64 } from "../../../protocol/bytes.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";

export { DecryptError };

/** Which end it is. */
export type End = "caller" | "callee";

/** Without padding. */
const ENCRYPTION_VERSION = 1;

const PURPOSE = encodeUtf8("skein peer link 1");

/** The nonces of both ends. */
export interface Nonces {
  readonly caller: Uint8Array;
  readonly callee: Uint8Array;
}

/** Seals and opens the blocks of one end of a connection. */
export class Sealing {
  readonly #ring: Keyring;
  readonly #random: Random;
  readonly #context: Uint8Array;
  readonly #own: Uint8Array;
  readonly #others: Uint8Array;
  readonly #derived = new WeakMap<Uint8Array, Uint8Array>();
  #sent = 0;
  #received = 0;
  /** The keys of this connection, for the ones that were on the ring. */
  #opening: { keys: readonly Uint8Array[]; ring: Keyring } | undefined;

  /** The first key of `ring` seals, any of them opens; it may change meanwhile. */
  constructor(ring: Keyring, random: Random, { caller, callee }: Nonces, end: End) {
    this.#ring = ring;
    this.#random = random;
    this.#context = concatBytes([PURPOSE, caller, callee]);
    this.#own = new Uint8Array(9);
    this.#others = new Uint8Array(9);
    this.#own[0] = end === "caller" ? 1 : 2;
    this.#others[0] = end === "caller" ? 2 : 1;
  }

  /** Seals the next block. */
  seal(block: Uint8Array): Uint8Array {
    const { primary } = this.#ring;
    if (primary === undefined) throw new Error("Keyring has no key any more");
    putU64(this.#own, 1, this.#sent++);
    return seal(block, this.#derive(primary), ENCRYPTION_VERSION, this.#own, this.#random);
  }

  /** Opens the next block. Throws {@linkcode DecryptError}. */
  open(sealed: Uint8Array): Uint8Array {
    putU64(this.#others, 1, this.#received++);
    return unseal(sealed, this.#openingRing(), this.#others);
  }

  #openingRing(): Keyring {
    const keys = [...this.#ring];
    const last = this.#opening;
    if (last?.keys.length === keys.length && keys.every((key, i) => key === last.keys[i])) {
      return last.ring;
    }
    const ring = new Keyring(keys.map((key) => this.#derive(key)));
    this.#opening = { keys, ring };
    return ring;
  }

  #derive(key: Uint8Array): Uint8Array {
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const digest = createHmac("sha256", key).update(this.#context).digest();
    const derived = new Uint8Array(digest).slice(0, key.length);
    this.#derived.set(key, derived);
    return derived;
  }
}
