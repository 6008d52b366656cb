/**
 * The last changes, in the order of their revisions, for watches that go on from an earlier one.
 *
 * They are bytes in a few large blocks, which the garbage collector does not look at, and which go as a whole when there are too
 * many. What is kept has no gap, and it is known from which revision on.
 *
 * @module
 */

import { getU64 } from "../../protocol/bytes.ts";
import type { NodeChange } from "../machine/mod.ts";
import { putChange, readChange, sizeAt, sizeOf } from "./bytes.ts";

/** How much is kept. */
export interface RingLimits {
  /** Changes: at least so many of the last ones, if there is room. */
  readonly changes: number;
  /** Bytes of all blocks. */
  readonly bytes: number;
  /** Bytes of one block; a change that takes more gets one of its own. */
  readonly blockBytes: number;
}

/**
 * 100,000 changes, as docs/spec has it, of some 150 bytes with key, value and the value before; fewer when they are larger. Where
 * watches are slow, or servers away, for some seconds at 10,000 writes a second, it is enough, and it is little beside the 32 MiB
 * of changes that the store keeps.
 */
export const RING_LIMITS: RingLimits = {
  changes: 100_000,
  bytes: 16 * 1024 * 1024,
  blockBytes: 2 * 1024 * 1024,
};

/** A place between two changes. */
export interface Cursor {
  /** Number of the block ... */
  block: number;
  /** ... and where in it. */
  at: number;
}

/** A block has fewer bytes. */
const MOST_IN_BLOCK = 2 ** 24;

/** A number for a place, greater than those of all before it. */
export function placeNumber({ block, at }: Cursor): number {
  return block * MOST_IN_BLOCK + at;
}

interface Block {
  readonly bytes: Uint8Array;
  /** How many are used. */
  length: number;
  /** How many changes there are. */
  count: number;
  /** The revision of the last one. */
  lastRev: number;
}

/** The last changes. */
export class ChangeRing {
  readonly #limits: RingLimits;
  #blocks: Block[] = [];
  /** Number of the first block that is kept. */
  #first = 0;
  #count = 0;
  #bytes = 0;
  #floor = 0;
  /** A block that was dropped, to be used again. */
  #spare: Uint8Array | undefined;

  /** Keeps as much as `limits` say. */
  constructor(limits: RingLimits = RING_LIMITS) {
    this.#limits = limits;
  }

  /** All changes of later revisions are there. */
  get floor(): number {
    return this.#floor;
  }

  /** How many changes there are. */
  get count(): number {
    return this.#count;
  }

  /** Forgets all; changes after `rev` follow. */
  reset(rev: number): void {
    this.#first += this.#blocks.length + 1;
    this.#blocks = [];
    this.#count = this.#bytes = 0;
    this.#floor = rev;
  }

  /** The next change. */
  append(change: NodeChange): void {
    const block = this.#blockFor(sizeOf(change));
    block.length = putChange(block.bytes, block.length, change);
    block.count++;
    block.lastRev = change.rev;
    this.#count++;
  }

  /** The place behind the last change. */
  end(): Cursor {
    const last = this.#blocks.at(-1);
    return last === undefined
      ? { block: this.#first, at: 0 }
      : { block: this.#first + this.#blocks.length - 1, at: last.length };
  }

  /** The place before the first change of this revision or a later one; `undefined` when such are gone. */
  seek(rev: number): Cursor | undefined {
    if (rev <= this.#floor) return undefined;
    const index = this.#blocks.findIndex(({ lastRev }) => lastRev >= rev);
    if (index < 0) return this.end();
    const cursor = { block: this.#first + index, at: 0 };
    const { bytes } = this.#blocks[index] as Block;
    while (getU64(bytes, cursor.at) < rev) cursor.at += sizeAt(bytes, cursor.at);
    return cursor;
  }

  /** Whether changes behind a place are gone. */
  isGone({ block }: Cursor): boolean {
    return block < this.#first;
  }

  /**
   * The change behind a place, which is moved behind that; `undefined` at the end. Its bytes last until the next change is
   * appended.
   */
  read(cursor: Cursor): NodeChange | undefined {
    let block = this.#blocks[cursor.block - this.#first];
    while (block !== undefined && cursor.at === block.length) {
      const next = this.#blocks[cursor.block + 1 - this.#first];
      if (next === undefined) return undefined;
      cursor.block++;
      cursor.at = 0;
      block = next;
    }
    if (block === undefined) return undefined;
    const { change, end } = readChange(block.bytes, cursor.at);
    cursor.at = end;
    return change;
  }

  #blockFor(size: number): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.length + size <= last.bytes.length) return last;
    const { blockBytes, bytes: most } = this.#limits;
    const length = Math.max(blockBytes, size);
    while (this.#blocks.length > 0 && (this.#bytes + length > most || this.#hasEnough)) {
      this.#drop();
    }
    const isUsual = length === blockBytes && this.#spare !== undefined;
    const bytes = isUsual ? this.#spare as Uint8Array : new Uint8Array(length);
    if (isUsual) this.#spare = undefined;
    const block = { bytes, length: 0, count: 0, lastRev: this.#floor };
    this.#blocks.push(block);
    this.#bytes += length;
    return block;
  }

  /** Whether there are enough changes without the first block. */
  get #hasEnough(): boolean {
    return this.#count - (this.#blocks[0] as Block).count >= this.#limits.changes;
  }

  #drop(): void {
    const { bytes, count, lastRev } = this.#blocks.shift() as Block;
    this.#first++;
    this.#count -= count;
    this.#bytes -= bytes.length;
    // Others of this revision may follow in the next block, but not all of it is there.
    this.#floor = lastRev;
    if (bytes.length === this.#limits.blockBytes) this.#spare = bytes;
  }
}
