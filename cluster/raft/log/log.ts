/**
 * The log as the core sees it: the terms of all entries and about their sizes, the newest entries themselves, and how much of it is
 * on the disk.
 *
 * Older entries are on the disk alone; whoever needs one has it loaded.
 *
 * @module
 */

import { type Entry, entryBytes } from "./entry.ts";
import type { OnDisk } from "./restored.ts";
import { Sizes } from "./sizes.ts";
import { Terms } from "./terms.ts";

/** What {@linkcode Log.slice} gives at most. */
export interface SliceLimits {
  /** Entries. */
  readonly count: number;
  /** Bytes, counted by `entryBytes`; one entry that is larger comes alone. */
  readonly bytes: number;
}

/** The log of one server. */
export class Log {
  readonly #cacheBytes: number;
  #terms: Terms;
  #sizes: Sizes;
  /** The newest entries, from {@linkcode Log.#tailFirst} on. */
  #tail: Entry[] = [];
  #tailFirst: number;
  #tailBytes = 0;
  /** Writes that were handed out and are not on the disk yet: up to which entry each reaches. */
  #writes: { readonly seq: number; last: number }[] = [];
  #lastSeq = 0;
  #durable: number;

  /**
   * An empty log after `index` of `term`.
   *
   * @param cacheBytes entries that are on the disk are kept in memory up to so many bytes
   */
  constructor(index: number, term: number, cacheBytes: number) {
    this.#cacheBytes = cacheBytes;
    this.#terms = new Terms(index, term);
    this.#sizes = new Sizes(index);
    this.#tailFirst = index + 1;
    this.#durable = index;
  }

  /** The index before the first entry: 0, or what a snapshot covers. */
  get beforeIndex(): number {
    return this.#terms.beforeIndex;
  }

  /** The last index; {@linkcode Log.beforeIndex} when there are no entries. */
  get lastIndex(): number {
    return this.#terms.last;
  }

  /** The term of the last index. */
  get lastTerm(): number {
    return this.#terms.at(this.#terms.last) as number;
  }

  /** All entries up to this one are on the disk. */
  get durableIndex(): number {
    return this.#durable;
  }

  /** The term of an index, `undefined` when it is not known (any more). */
  term(index: number): number | undefined {
    return this.#terms.at(index);
  }

  /** The first index that is known to have the term of `index`, which must be one of an entry. */
  firstOfTermAt(index: number): number {
    return this.#terms.firstOfTermAt(index);
  }

  /** The last index up to `limit` whose term is at most `term`, `undefined` when there is none. */
  lastNotAfter(term: number, limit: number): number | undefined {
    return this.#terms.lastNotAfter(term, limit);
  }

  /** The least index after which the entries up to `last` take at most `bytes`, counted by `entryBytes`; about. */
  beforeNewest(bytes: number, last: number): number {
    return this.#sizes.beforeNewest(bytes, last);
  }

  /** The entries from `from` on, within `limits`; `undefined` when the first of them is not in memory. */
  slice(from: number, limits: SliceLimits): Entry[] | undefined {
    if (from > this.lastIndex) return [];
    if (from < this.#tailFirst) return undefined;
    const start = from - this.#tailFirst;
    let bytes = 0;
    let end = start;
    while (end < this.#tail.length && end - start < limits.count) {
      bytes += entryBytes(this.#tail[end] as Entry);
      if (bytes > limits.bytes && end > start) break;
      end++;
    }
    return this.#tail.slice(start, end);
  }

  /** Takes over entries that are on the disk, at the start, and what is known of those before them, which stay there alone. */
  restore(entries: Iterable<Entry>, before?: Pick<OnDisk, "terms" | "sizes">): void {
    if (before !== undefined) {
      this.#terms = before.terms.copy();
      this.#sizes = before.sizes.copy();
      this.#tailFirst = before.terms.last + 1;
    }
    for (const entry of entries) this.#push(entry);
    this.#durable = this.lastIndex;
    this.#evict();
  }

  /** Adds entries, the first right after the last one. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.#push(entry);
  }

  /** Forgets `from` and everything after it. */
  truncate(from: number): void {
    this.#terms.truncate(from);
    this.#sizes.truncate(from);
    while (this.#tail.length > 0 && (this.#tail.at(-1) as Entry).index >= from) {
      this.#tailBytes -= entryBytes(this.#tail.pop() as Entry);
    }
    this.#tailFirst = Math.min(this.#tailFirst, from);
    this.#durable = Math.min(this.#durable, from - 1);
    for (const write of this.#writes) write.last = Math.min(write.last, from - 1);
  }

  /** Forgets the entries up to `index`, which is known and on the disk. */
  trim(index: number): void {
    if (index <= this.beforeIndex) return;
    this.#terms.trim(index);
    this.#sizes.trim(index);
    this.#dropTailTo(index);
  }

  /** Starts anew after `index` of `term`, with no entries; nothing of it is on the disk until the write that does so is. */
  reset(index: number, term: number): void {
    this.#terms = new Terms(index, term);
    this.#sizes = new Sizes(index);
    this.#tail = [];
    this.#tailBytes = 0;
    this.#tailFirst = index + 1;
    this.#durable = 0;
    for (const write of this.#writes) write.last = 0;
  }

  /** Gives the next write its number; it reaches to what is the last index now. */
  nextWrite(): number {
    this.#writes.push({ seq: ++this.#lastSeq, last: this.lastIndex });
    return this.#lastSeq;
  }

  /** What was appended since belongs to the same write. */
  extendWrite(): void {
    const write = this.#writes.at(-1);
    if (write !== undefined) write.last = this.lastIndex;
  }

  /** The writes up to this number are on the disk. */
  written(seq: number): void {
    while ((this.#writes[0]?.seq ?? Infinity) <= seq) {
      const { last } = this.#writes.shift() as { last: number };
      this.#durable = Math.max(this.#durable, last);
    }
    this.#evict();
  }

  #push(entry: Entry): void {
    if (entry.index !== this.lastIndex + 1) {
      throw new RangeError(`Entry ${entry.index} cannot follow entry ${this.lastIndex}`);
    }
    const bytes = entryBytes(entry);
    this.#terms.push(entry.term);
    this.#sizes.push(bytes);
    this.#tail.push(entry);
    this.#tailBytes += bytes;
  }

  /** The half that is older goes at once, so that not every write moves the whole tail. */
  #evict(): void {
    if (this.#tailBytes <= this.#cacheBytes) return;
    let bytes = this.#tailBytes;
    let index = this.#tailFirst - 1;
    while (bytes > this.#cacheBytes / 2 && index < this.#durable) {
      index++;
      bytes -= entryBytes(this.#tail[index - this.#tailFirst] as Entry);
    }
    this.#dropTailTo(index);
  }

  #dropTailTo(index: number): void {
    const count = Math.min(this.#tail.length, index + 1 - this.#tailFirst);
    if (count <= 0) return;
    for (const entry of this.#tail.slice(0, count)) this.#tailBytes -= entryBytes(entry);
    this.#tail = this.#tail.slice(count);
    this.#tailFirst += count;
  }
}
