/**
 * What an agent tells the others of what its subscribers want: each interest once, however many have it.
 *
 * @module
 */

import { utf8Length } from "../../protocol/text.ts";
import { EVERYTHING } from "./channel.ts";
import { encodeChanges, encodeInterests } from "./wire.ts";

/** Interests that are told one by one. */
export const MAX_TOLD_INTERESTS = 65_536;

/** Bytes of such interests. */
export const MAX_TOLD_BYTES = 4 * 1024 * 1024;

/**
 * The interests, and what of them is not told yet. With too many of them it tells that it wants everything, until they are half as
 * many as there may be: nothing is missed, others only send more.
 */
export class Announcement {
  readonly #most: number;
  readonly #interests = new Set<string>();
  #bytes = 0;
  /** What was added and what was taken away since it was told last. */
  readonly #changes = new Map<string, boolean>();
  #isEverything = false;

  /** Tells up to `most` interests one by one. */
  constructor(most = MAX_TOLD_INTERESTS) {
    this.#most = most;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#interests.size === 0;
  }

  /** There is one more. */
  add(text: string): void {
    this.#interests.add(text);
    this.#bytes += utf8Length(text);
    this.#change(text, true);
  }

  /** There is one less. */
  remove(text: string): void {
    this.#interests.delete(text);
    this.#bytes -= utf8Length(text);
    this.#change(text, false);
  }

  /** All that is wanted, for who has been told nothing yet. */
  all(): Uint8Array {
    return encodeInterests(this.#isEverything ? [EVERYTHING.text] : this.#interests);
  }

  /** What is new for those who have been told before; `undefined` when nothing is. */
  news(): Uint8Array | undefined {
    const was = this.#isEverything;
    const part = was ? 2 : 1;
    this.#isEverything = this.#interests.size > this.#most / part ||
      this.#bytes > MAX_TOLD_BYTES / part;
    const changes = [...this.#changes];
    this.#changes.clear();
    if (was !== this.#isEverything) return this.all();
    return was || changes.length === 0 ? undefined : encodeChanges(changes);
  }

  #change(text: string, isAdded: boolean): void {
    // What comes and goes between two tellings is no news.
    if (this.#changes.get(text) === !isAdded) this.#changes.delete(text);
    else this.#changes.set(text, isAdded);
  }
}
