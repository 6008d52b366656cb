/**
 * A map from byte strings to byte strings in the order of its keys, of which a copy costs next to nothing.
 *
 * Rows are in sorted blocks of bounded size, and the blocks in a sorted list: a look-up is two binary searches. A copy shares
 * the blocks; whichever block the map changes after that, it copies first.
 *
 * @module
 */

import { compareBytes } from "../../../protocol/bytes.ts";
import type { Row } from "./store.ts";

/** Most rows of a block (measured with 100,000 rows: 32 to 256 differ by no more than runs do; fewer make cheaper copies). */
const MAX_ROWS = 64;

/** Two neighbours that have no more rows than this together become one. */
const FEW_ROWS = MAX_ROWS / 2;

interface Block {
  readonly keys: Uint8Array[];
  readonly values: Uint8Array[];
  /** The age of the map in which the block was made: copies taken since share it. */
  readonly age: number;
}

/** Rows that do not change any more. */
export class SortedRows {
  readonly #blocks: readonly Block[];

  /** Rows in these blocks. */
  constructor(blocks: readonly Block[]) {
    this.#blocks = blocks;
  }

  /** As `StoreReader.get`. */
  get(key: Uint8Array): Uint8Array | undefined {
    return valueOf(this.#blocks, key);
  }

  /** As `StoreReader.range`. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse = false): Row[] {
    return rowsOf(this.#blocks, from, to, limit, reverse);
  }
}

/** Rows that change. */
export class SortedMap {
  readonly #blocks: Block[] = [];
  #age = 0;

  /** How many blocks there are: what a copy costs. */
  get blocks(): number {
    return this.#blocks.length;
  }

  /** As `StoreReader.get`. */
  get(key: Uint8Array): Uint8Array | undefined {
    return valueOf(this.#blocks, key);
  }

  /** As `StoreReader.range`. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse = false): Row[] {
    return rowsOf(this.#blocks, from, to, limit, reverse);
  }

  /** Sets the value of a key and returns the one before. */
  set(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
    const at = Math.max(0, blockOf(this.#blocks, key));
    const block = this.#own(at);
    const place = placeOf(block.keys, key);
    if (place < block.keys.length && compareBytes(block.keys[place] as Uint8Array, key) === 0) {
      const before = block.values[place];
      block.values[place] = value;
      return before;
    }
    block.keys.splice(place, 0, key);
    block.values.splice(place, 0, value);
    if (block.keys.length > MAX_ROWS) this.#split(at, block, place);
    return undefined;
  }

  /** Removes a key and returns its value. */
  delete(key: Uint8Array): Uint8Array | undefined {
    const at = blockOf(this.#blocks, key);
    if (at < 0) return undefined;
    const place = placeOf((this.#blocks[at] as Block).keys, key);
    const found = (this.#blocks[at] as Block).keys[place];
    if (found === undefined || compareBytes(found, key) !== 0) return undefined;
    const block = this.#own(at);
    block.keys.splice(place, 1);
    const [before] = block.values.splice(place, 1);
    if (block.keys.length === 0) this.#blocks.splice(at, 1);
    else if (!this.#join(at)) this.#join(at - 1);
    return before;
  }

  /** The rows as they are now. */
  copy(): SortedRows {
    this.#age++;
    return new SortedRows(this.#blocks.slice());
  }

  /** The block at `at`, in a version that no copy shares; the first one is made if there is none. */
  #own(at: number): Block {
    const block = this.#blocks[at];
    if (block?.age === this.#age) return block;
    return this.#blocks[at] = {
      keys: block?.keys.slice() ?? [],
      values: block?.values.slice() ?? [],
      age: this.#age,
    };
  }

  /** Halves a block. One that grew at its end stays full, for keys that come in ascending order. */
  #split(at: number, block: Block, grownAt: number): void {
    const half = grownAt === MAX_ROWS ? MAX_ROWS : MAX_ROWS / 2;
    this.#blocks.splice(at + 1, 0, {
      keys: block.keys.splice(half),
      values: block.values.splice(half),
      age: this.#age,
    });
  }

  /** Joins the blocks at `at` and after it when they have few rows, and tells whether it did. */
  #join(at: number): boolean {
    const next = this.#blocks[at + 1];
    const first = this.#blocks[at];
    if (first === undefined || next === undefined) return false;
    if (first.keys.length + next.keys.length > FEW_ROWS) return false;
    const block = this.#own(at);
    block.keys.push(...next.keys);
    block.values.push(...next.values);
    this.#blocks.splice(at + 1, 1);
    return true;
  }
}

function valueOf(blocks: readonly Block[], key: Uint8Array): Uint8Array | undefined {
  const block = blocks[blockOf(blocks, key)];
  if (block === undefined) return undefined;
  const place = placeOf(block.keys, key);
  const found = block.keys[place];
  return found !== undefined && compareBytes(found, key) === 0 ? block.values[place] : undefined;
}

function rowsOf(
  blocks: readonly Block[],
  from: Uint8Array,
  to: Uint8Array | undefined,
  limit: number,
  reverse: boolean,
): Row[] {
  const rows: Row[] = [];
  if (blocks.length === 0 || (to !== undefined && compareBytes(from, to) >= 0)) return rows;
  const bound = reverse ? to : from;
  const step = reverse ? -1 : 1;
  let at = bound === undefined ? blocks.length - 1 : Math.max(0, blockOf(blocks, bound));
  const start = blocks[at] as Block;
  let place = bound === undefined ? start.keys.length : placeOf(start.keys, bound);
  if (reverse) place--;
  for (let block: Block | undefined = start; block !== undefined; block = blocks[at += step]) {
    if (block !== start) place = reverse ? block.keys.length - 1 : 0;
    for (; place >= 0 && place < block.keys.length; place += step) {
      if (rows.length >= limit) return rows;
      const key = block.keys[place] as Uint8Array;
      const outside = reverse
        ? compareBytes(key, from) < 0
        : to !== undefined && compareBytes(key, to) >= 0;
      if (outside) return rows;
      rows.push({ key, value: block.values[place] as Uint8Array });
    }
  }
  return rows;
}

/** The last block that begins at or before `key`, -1 when all begin after it. */
function blockOf(blocks: readonly Block[], key: Uint8Array): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes((blocks[middle] as Block).keys[0] as Uint8Array, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The place of the first key that is not less than `key`. */
function placeOf(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(keys[middle] as Uint8Array, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
