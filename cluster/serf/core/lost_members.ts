/**
 * Where members were that failed and were forgotten: the two sides of a network that was split for longer than members
 * are remembered find each other by it.
 *
 * @module
 */

import type { Address } from "../../runtime.ts";

/** Most places kept; the one that was lost first makes room. */
const MAX_LOST = 1_024;

/** How long a place is kept, in milliseconds: 7 days. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** Names and addresses of lost members. */
export class LostMembers {
  readonly #places = new Map<string, { readonly address: Address; readonly since: number }>();

  /** How many are kept. */
  get size(): number {
    return this.#places.size;
  }

  /** A failed member is forgotten. `now`: clock milliseconds. */
  add(name: string, { host, port }: Address, now: number): void {
    this.#places.delete(name);
    this.#places.set(name, { address: { host, port }, since: now });
    if (this.#places.size <= MAX_LOST) return;
    const [first] = this.#places.keys();
    if (first !== undefined) this.#places.delete(first);
  }

  /** A member is there again. */
  delete(name: string): void {
    this.#places.delete(name);
  }

  /** Those that are not lost for too long; forgets the others. */
  list(now: number): { readonly name: string; readonly address: Address }[] {
    for (const [name, { since }] of this.#places) {
      if (now - since <= KEPT_MS) break;
      this.#places.delete(name);
    }
    return Array.from(this.#places, ([name, { address }]) => ({ name, address }));
  }
}
