/**
 * Until when something has to be heard of whom.
 *
 * Names lie in buckets by their time, so that one that is heard of all the time stays where it is, and a look costs nothing for
 * those whose time has not come.
 *
 * @module
 */

import { DEADLINE_GRAIN_MS } from "./limits.ts";

/** Names with deadlines, which are kept on time or up to {@linkcode DEADLINE_GRAIN_MS} later. */
export class Deadlines {
  readonly #bucketOf = new Map<string, number>();
  readonly #buckets = new Map<number, Set<string>>();

  /** How many there are. */
  get size(): number {
    return this.#bucketOf.size;
  }

  /** The first of them; `Infinity` when there is none. */
  get earliest(): number {
    let earliest = Infinity;
    for (const bucket of this.#buckets.keys()) if (bucket < earliest) earliest = bucket;
    return earliest * DEADLINE_GRAIN_MS;
  }

  /** Whether a name has one. */
  has(name: string): boolean {
    return this.#bucketOf.has(name);
  }

  /** Gives a name a deadline, in place of the one that it may have. */
  set(name: string, deadline: number): void {
    const bucket = Math.ceil(deadline / DEADLINE_GRAIN_MS);
    if (this.#bucketOf.get(name) === bucket) return;
    this.delete(name);
    this.#bucketOf.set(name, bucket);
    const names = this.#buckets.get(bucket);
    if (names === undefined) this.#buckets.set(bucket, new Set([name]));
    else names.add(name);
  }

  /** Forgets a name. */
  delete(name: string): void {
    const bucket = this.#bucketOf.get(name);
    if (bucket === undefined) return;
    this.#bucketOf.delete(name);
    const names = this.#buckets.get(bucket);
    names?.delete(name);
    if (names?.size === 0) this.#buckets.delete(bucket);
  }

  /** Takes out those whose time is over. */
  takeDue(now: number): string[] {
    const due: string[] = [];
    for (const [bucket, names] of this.#buckets) {
      if (bucket * DEADLINE_GRAIN_MS > now) continue;
      due.push(...names);
      this.#buckets.delete(bucket);
    }
    for (const name of due) this.#bucketOf.delete(name);
    return due;
  }

  /** Forgets all. */
  clear(): void {
    this.#bucketOf.clear();
    this.#buckets.clear();
  }
}
