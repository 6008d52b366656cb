/**
 * Which entries the log has, and where in its files they are: a few numbers for every 64 KiB.
 *
 * @module
 */

import { Terms } from "../../../cluster/raft/log/terms.ts";
import type { Change } from "./format.ts";

/** A mark is made when a group begins so many bytes after the last mark. A load reads at most so much for nothing. */
const MARK_BYTES = 64 * 1024;

/** Where a group begins, and the first entry in it. */
export interface Mark {
  /** Index of the entry. */
  readonly first: number;
  /** Number of the segment. */
  readonly sequence: number;
  /** Where the group begins in it. */
  readonly at: number;
}

/**
 * The log as its files tell it, group by group.
 *
 * The entries from one mark up to the next are found by reading groups from the first mark on, in order: whatever was cut off
 * later has an index from the next mark on, since each cut makes a mark of what follows it.
 */
export class LogIndex {
  #terms: Terms;
  #marks: Mark[] = [];
  /** Whether the next entries do not follow what stands before them in the file. */
  #isCut = false;

  /** No entries, after `index` of `term`. */
  constructor(index: number, term: number) {
    this.#terms = new Terms(index, term);
  }

  /** The index before the first entry. */
  get beforeIndex(): number {
    return this.#terms.beforeIndex;
  }

  /** Its term. */
  get beforeTerm(): number {
    return this.#terms.beforeTerm;
  }

  /** The terms as they are now. */
  terms(): Terms {
    return this.#terms.copy();
  }

  /** The last index; {@linkcode LogIndex.beforeIndex} when there are no entries. */
  get lastIndex(): number {
    return this.#terms.last;
  }

  /** Its term. */
  get lastTerm(): number {
    return this.#terms.at(this.#terms.last) as number;
  }

  /** Marks that are kept. */
  get marks(): number {
    return this.#marks.length;
  }

  /** The term of an index, `undefined` when it is not known (any more). */
  term(index: number): number | undefined {
    return this.#terms.at(index);
  }

  /** Why a change cannot follow, `undefined` when it can. */
  problem({ begin, cut, entries }: Change): string | undefined {
    let [last, lastTerm] = [this.lastIndex, this.lastTerm];
    if (begin !== undefined) {
      if (begin.index > last) return `Log ends with ${last}, it cannot begin after ${begin.index}`;
      if (this.#differs(begin)) return `Entry ${begin.index} has not the term ${begin.term}`;
    }
    if (cut !== undefined) {
      if (cut.index > last) return `Log ends with ${last}, it cannot be cut after ${cut.index}`;
      if (this.#differs(cut)) return `Entry ${cut.index} has not the term ${cut.term}`;
      if (begin !== undefined && cut.index < begin.index) return "Log is cut before it begins";
      [last, lastTerm] = [cut.index, cut.term];
    }
    for (const { index, term } of entries) {
      if (index !== last + 1 || term < lastTerm || term === 0) {
        return `Entry ${index} of term ${term} cannot follow entry ${last} of term ${lastTerm}`;
      }
      [last, lastTerm] = [index, term];
    }
    return undefined;
  }

  /** Takes on a change without a problem, whose group begins at `at` in the segment of that number. */
  apply({ begin, cut, entries }: Change, sequence: number, at: number): void {
    if (begin !== undefined) this.trim(begin.index);
    if (cut !== undefined) {
      if (cut.index < this.beforeIndex) this.#terms = new Terms(cut.index, cut.term);
      else if (cut.index < this.lastIndex) this.#terms.truncate(cut.index + 1);
      while ((this.#marks.at(-1)?.first ?? 0) > cut.index) this.#marks.pop();
      this.#isCut = true;
    }
    const [first] = entries;
    if (first === undefined) return;
    const mark = this.#marks.at(-1);
    if (this.#isCut || mark?.sequence !== sequence || at - mark.at >= MARK_BYTES) {
      this.#marks.push({ first: first.index, sequence, at });
      this.#isCut = false;
    }
    for (const { term } of entries) this.#terms.push(term);
  }

  /** The mark from which to read for an entry, and the one after it; `undefined` when there is no such entry. */
  find(index: number): { mark: Mark; next: Mark | undefined } | undefined {
    if (index <= this.beforeIndex || index > this.lastIndex) return undefined;
    let [low, high] = [0, this.#marks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#marks[middle] as Mark).first <= index) low = middle;
      else high = middle - 1;
    }
    return { mark: this.#marks[low] as Mark, next: this.#marks[low + 1] };
  }

  /** The last entry that stands in the segment of that number or before. */
  lastUpTo(sequence: number): number {
    const next = this.#marks.find((mark) => mark.sequence > sequence);
    return next === undefined ? this.lastIndex : next.first - 1;
  }

  /** Forgets the entries up to `index`, which is none after the last. */
  trim(index: number): void {
    if (index > this.beforeIndex) this.#terms.trim(index);
    if (index >= this.lastIndex) this.#marks = [];
    const later = this.#marks.findIndex(({ first }) => first > index + 1);
    this.#marks.splice(0, (later < 0 ? this.#marks.length : later) - 1);
  }

  #differs({ index, term }: { readonly index: number; readonly term: number }): boolean {
    const known = this.#terms.at(index);
    return known !== undefined && known !== term;
  }
}
