/**
 * How many bytes the entries of a log take: two numbers for every 64 KiB of them, and between those about.
 *
 * @module
 */

/** A mark is made before the first entry that ends more bytes than this after the last mark: one that is larger is alone. */
const MARK_BYTES = 64 * 1024;

/** The entries up to an index, which is one, take so many bytes. */
interface Mark {
  readonly index: number;
  readonly bytes: number;
}

/** The sizes of the entries after some index. */
export class Sizes {
  /** The first stands before the first entry. */
  #marks: [Mark, ...Mark[]];
  #index: number;
  #bytes = 0;

  /** No entries, after `index`. */
  constructor(index: number) {
    this.#marks = [{ index, bytes: 0 }];
    this.#index = index;
  }

  /** A copy, which goes its own way. */
  copy(): Sizes {
    const copy = new Sizes(0);
    copy.#marks = [...this.#marks];
    copy.#index = this.#index;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** Adds the next entry. */
  push(bytes: number): void {
    const mark = this.#marks.at(-1) as Mark;
    if (this.#bytes + bytes - mark.bytes > MARK_BYTES && this.#index > mark.index) {
      this.#marks.push({ index: this.#index, bytes: this.#bytes });
    }
    this.#index++;
    this.#bytes += bytes;
  }

  /** Forgets `from`, which is after the index before the first entry, and everything after it. */
  truncate(from: number): void {
    this.#bytes = this.#upTo(from - 1);
    this.#index = from - 1;
    while (this.#marks.length > 1 && (this.#marks.at(-1) as Mark).index >= from) this.#marks.pop();
  }

  /** Forgets the entries up to `index`, which is none after the last; they may be forgotten already. */
  trim(index: number): void {
    if (index <= this.#marks[0].index) return;
    const first = { index, bytes: this.#upTo(index) };
    this.#marks = [first, ...this.#marks.filter((mark) => mark.index > index)];
  }

  /** What the entries after `after` up to `last` take, as far as they are here; about. */
  between(after: number, last: number): number {
    return Math.max(0, this.#upTo(last) - this.#upTo(after));
  }

  /** The least index, up to `last`, after which the entries up to `last` take at most `bytes`; about. */
  beforeNewest(bytes: number, last: number): number {
    const wanted = this.#upTo(last) - bytes;
    const [{ index, bytes: least }] = this.#marks;
    if (wanted <= least) return index;
    const [low, high] = this.#around((mark) => mark.bytes < wanted);
    const count = (wanted - low.bytes) * (high.index - low.index) / (high.bytes - low.bytes);
    return Math.min(low.index + Math.ceil(count), last);
  }

  #upTo(index: number): number {
    const [first] = this.#marks;
    if (index <= first.index) return first.bytes;
    if (index >= this.#index) return this.#bytes;
    const [low, high] = this.#around((mark) => mark.index < index);
    const bytes = (index - low.index) * (high.bytes - low.bytes) / (high.index - low.index);
    return low.bytes + Math.round(bytes);
  }

  /** The last mark that is before something that is after the first mark and not after the end, and what follows that mark. */
  #around(isBefore: (mark: Mark) => boolean): [Mark, Mark] {
    let [low, high] = [0, this.#marks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (isBefore(this.#marks[middle] as Mark)) low = middle;
      else high = middle - 1;
    }
    const end = { index: this.#index, bytes: this.#bytes };
    return [this.#marks[low] as Mark, this.#marks[low + 1] ?? end];
  }
}
