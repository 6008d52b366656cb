/**
 * Takes a dump in, piece by piece, and puts it in the place of the state once all of it has proved right.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { compareBytes, getU32, getU64 } from "../../protocol/bytes.ts";
import { Slab } from "../../protocol/slab.ts";
import {
  BLOCK_HEAD_BYTES,
  BLOCK_KIND,
  type DumpSummary,
  MAGIC,
  MAX_PAYLOAD_BYTES,
  ROW_HEAD_BYTES,
} from "./dump.ts";
import { checkFormat, PROGRAM } from "./machine.ts";
import { MAX_VALUE_BYTES, type Replacement, type Store } from "./store/store.ts";
import { MAX_KEY_BYTES } from "./store/tuple.ts";

/** The bytes are not the dump that was expected. */
export class DumpError extends Error {
  /** "DumpError". */
  override readonly name = "DumpError";
}

/**
 * A dump on its way into a store.
 *
 * {@linkcode Loader.push} as many pieces as there are, cut anywhere, then {@linkcode Loader.finish}. The store stays as it is
 * until then. After an error, and to give up, {@linkcode Loader.abort}.
 */
export class Loader {
  readonly #expected: DumpSummary;
  readonly #replacement: Replacement;
  readonly #hash = createHash("sha256");
  readonly #slab = new Slab();
  /** What has come of a block that is not whole. */
  #pending: Uint8Array = new Uint8Array();
  /** Bytes of whole blocks. */
  #size = 0;
  #rows = 0;
  #lastKey: Uint8Array = new Uint8Array();
  /** Kind of the last block. */
  #kind: number | undefined;

  /** Loads the dump of which this is known into a store. */
  constructor(store: Store, expected: DumpSummary) {
    this.#expected = expected;
    this.#replacement = store.replacement();
  }

  /**
   * Takes the next piece.
   *
   * @throws {DumpError} when it cannot belong to such a dump
   * @throws {FormatError} when the state is of a later version of the program
   */
  push(piece: Uint8Array): void {
    this.#hash.update(piece);
    if (this.#size + this.#pending.length + piece.length > this.#expected.size) {
      this.#damaged(`more than ${this.#expected.size} bytes`);
    }
    let bytes = piece;
    if (this.#pending.length > 0) {
      bytes = new Uint8Array(this.#pending.length + piece.length);
      bytes.set(this.#pending);
      bytes.set(piece, this.#pending.length);
    }
    let at = 0;
    while (bytes.length - at >= BLOCK_HEAD_BYTES) {
      const length = getU32(bytes, at);
      if (length === 0 || length > MAX_PAYLOAD_BYTES) this.#damaged(`block of ${length} bytes`);
      const start = at + BLOCK_HEAD_BYTES;
      if (bytes.length - start < length) break;
      const payload = bytes.subarray(start, start + length);
      if (crc32(payload) !== getU32(bytes, at + 4)) this.#damaged("wrong checksum");
      this.#take(payload);
      this.#size += BLOCK_HEAD_BYTES + length;
      at = start + length;
    }
    this.#pending = bytes.slice(at);
  }

  /**
   * Replaces the state. A machine on the store has to be made anew after it.
   *
   * @throws {DumpError} when the dump is not whole or is another one; the store is as it was then
   */
  finish(): void {
    const { size, hash } = this.#expected;
    if (this.#kind !== BLOCK_KIND.last || this.#pending.length > 0) this.#damaged("cut off");
    const found = this.#hash.digest("hex");
    if (this.#size !== size || found !== hash) {
      throw new DumpError(
        `Expected a dump of ${size} bytes with hash ${hash}, got ${this.#size} with ${found}`,
      );
    }
    this.#replacement.commit();
  }

  /** Gives it up; the store stays as it is. */
  abort(): void {
    this.#replacement.abort();
  }

  #take(payload: Uint8Array): void {
    const kind = payload[0] as number;
    const isFirst = this.#kind === undefined;
    if (isFirst !== (kind === BLOCK_KIND.first) || this.#kind === BLOCK_KIND.last) {
      this.#damaged(`block of kind ${kind} after ${this.#kind}`);
    }
    if (kind === BLOCK_KIND.first) this.#takeFirst(payload);
    else if (kind === BLOCK_KIND.rows) this.#takeRows(payload);
    else if (kind !== BLOCK_KIND.last || payload.length !== 9) {
      this.#damaged(`block of kind ${kind}`);
    } else if (getU64(payload, 1) !== this.#rows) this.#damaged(`${this.#rows} rows`);
    this.#kind = kind;
  }

  #takeFirst(payload: Uint8Array): void {
    const at = 1 + MAGIC.length;
    if (payload.length !== at + 16 || compareBytes(payload.subarray(1, at), MAGIC) !== 0) {
      this.#damaged("not the beginning of a dump of the machine");
    }
    const index = getU64(payload, at);
    if (index !== this.#expected.index) {
      throw new DumpError(`Expected a dump at index ${this.#expected.index}, got ${index}`);
    }
    checkFormat({ index, format: getU64(payload, at + 8) }, PROGRAM);
  }

  #takeRows(payload: Uint8Array): void {
    let at = 1;
    while (at < payload.length) {
      const head = payload.length - at < ROW_HEAD_BYTES
        ? Infinity
        : ROW_HEAD_BYTES + (((payload[at] as number) << 8) | (payload[at + 1] as number));
      const end = at + head + (head === Infinity ? 0 : getU32(payload, at + 2));
      if (end > payload.length) this.#damaged("row beyond its block");
      if (head - ROW_HEAD_BYTES > MAX_KEY_BYTES || end - at - head > MAX_VALUE_BYTES) {
        this.#damaged("row that is too long");
      }
      const key = this.#slab.copy(payload.subarray(at + ROW_HEAD_BYTES, at + head));
      if (compareBytes(key, this.#lastKey) <= 0) this.#damaged("keys out of order");
      this.#replacement.put(key, this.#slab.copy(payload.subarray(at + head, end)));
      this.#lastKey = key;
      this.#rows++;
      at = end;
    }
  }

  #damaged(what: string): never {
    throw new DumpError(`Dump is damaged in the block at byte ${this.#size}: ${what}`);
  }
}
