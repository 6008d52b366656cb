/**
 * Which term each index of the log has: runs of equal terms, so that a log of millions of entries takes a few numbers.
 *
 * @module
 */

interface Run {
  readonly first: number;
  readonly term: number;
}

/** The terms of the entries after some index, which is kept with its term. */
export class Terms {
  #runs: Run[] = [];
  #before: { readonly index: number; readonly term: number };
  #last: number;

  /** No entries, after `index` of `term`. */
  constructor(index: number, term: number) {
    this.#before = { index, term };
    this.#last = index;
  }

  /** The index before the first entry. */
  get beforeIndex(): number {
    return this.#before.index;
  }

  /** Its term. */
  get beforeTerm(): number {
    return this.#before.term;
  }

  /** The last index; that before the first entry when there is none. */
  get last(): number {
    return this.#last;
  }

  /** The term of an index, `undefined` when it is not known (any more). */
  at(index: number): number | undefined {
    if (index === this.#before.index) return this.#before.term;
    if (index < this.#before.index || index > this.#last) return undefined;
    return this.#runs[this.#runAt(index)]?.term;
  }

  /** The first index that is known to have the term of `index`, which must be one of an entry. */
  firstOfTermAt(index: number): number {
    return (this.#runs[this.#runAt(index)] as Run).first;
  }

  /** The last index up to `limit` whose term is at most `term`, `undefined` when there is none. */
  lastNotAfter(term: number, limit: number): number | undefined {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i] as Run;
      if (run.term > term) continue;
      const next = this.#runs[i + 1]?.first ?? this.#last + 1;
      return Math.min(limit, next - 1);
    }
    return this.#before.term <= term ? this.#before.index : undefined;
  }

  /** Adds the next index. */
  push(term: number): void {
    this.#last++;
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ first: this.#last, term });
  }

  /** A copy, which goes its own way. */
  copy(): Terms {
    const copy = new Terms(this.#before.index, this.#before.term);
    copy.#runs = [...this.#runs];
    copy.#last = this.#last;
    return copy;
  }

  /** Forgets `from`, which is after the index before the first entry, and everything after it. */
  truncate(from: number): void {
    this.#last = from - 1;
    while ((this.#runs.at(-1)?.first ?? 0) >= from) this.#runs.pop();
  }

  /** Forgets the entries up to `index`, which is known. */
  trim(index: number): void {
    const term = this.at(index) as number;
    this.#runs = this.#runs.flatMap((run, i) => {
      const end = (this.#runs[i + 1]?.first ?? this.#last + 1) - 1;
      return end <= index ? [] : [{ first: Math.max(run.first, index + 1), term: run.term }];
    });
    this.#before = { index, term };
  }

  #runAt(index: number): number {
    let [low, high] = [0, this.#runs.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runs[middle] as Run).first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
