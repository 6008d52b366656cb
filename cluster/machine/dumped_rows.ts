/**
 * Finds rows in a dump without loading it.
 *
 * @module
 */

import { compareBytes, concatBytes, getU32, NO_BYTES } from "../../protocol/bytes.ts";
import { BLOCK_HEAD_BYTES, BLOCK_KIND, ROW_HEAD_BYTES } from "./dump.ts";
import type { Row } from "./store/store.ts";

/** The rows of a dump whose keys are in a range. The dump has to be a right one: nothing of it is checked. */
export class DumpedRows {
  readonly #from: Uint8Array;
  readonly #to: Uint8Array;
  /** What has come of a block that is not whole. */
  #pending: Uint8Array = NO_BYTES;

  /** Those with a key of at least `from`, and less than `to`. */
  constructor(from: Uint8Array, to: Uint8Array) {
    this.#from = from;
    this.#to = to;
  }

  /** Takes the next piece of the dump, cut anywhere, and returns the rows that it brings. */
  push(piece: Uint8Array): Row[] {
    const bytes = concatBytes(this.#pending.length === 0 ? [piece] : [this.#pending, piece]);
    const rows: Row[] = [];
    let at = 0;
    while (bytes.length - at >= BLOCK_HEAD_BYTES) {
      const start = at + BLOCK_HEAD_BYTES;
      const end = start + getU32(bytes, at);
      if (end > bytes.length) break;
      if (bytes[start] === BLOCK_KIND.rows) this.#collect(bytes.subarray(start + 1, end), rows);
      at = end;
    }
    this.#pending = bytes.slice(at);
    return rows;
  }

  #collect(block: Uint8Array, rows: Row[]): void {
    for (let at = 0; at < block.length;) {
      const keyAt = at + ROW_HEAD_BYTES;
      const valueAt = keyAt + (((block[at] as number) << 8) | (block[at + 1] as number));
      const end = valueAt + getU32(block, at + 2);
      const key = block.subarray(keyAt, valueAt);
      if (compareBytes(key, this.#from) >= 0 && compareBytes(key, this.#to) < 0) {
        rows.push({ key: key.slice(), value: block.slice(valueAt, end) });
      }
      at = end;
    }
  }
}
