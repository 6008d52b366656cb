/**
 * What keeps a flood of like happenings, which others may provoke, from becoming a flood of log lines.
 *
 * @module
 */

import type { Clock } from "./runtime.ts";

/** Each source gets one line in this many milliseconds. */
const INTERVAL_MS = 1_000;

/** Admits one line a second for each source, a bounded number for all of them together, and counts those it hides. */
export class LogLimiter {
  readonly #clock: Pick<Clock, "now">;
  readonly #maxLines: number;
  /** In the order of their lines. */
  readonly #sources = new Map<string, { since: number; hidden: number }>();
  #hiddenOfOthers = 0;

  /**
   * @param clock Tells the time.
   * @param maxLines Lines a second of all sources together, as sources can be forged; so many are remembered, too.
   */
  constructor(clock: Pick<Clock, "now">, maxLines = 256) {
    this.#clock = clock;
    this.#maxLines = maxLines;
  }

  /**
   * Whether to write a line about `source` now: how many were hidden before it, of this source and of those that are
   * not remembered, or `undefined` when this one is to be hidden too.
   */
  admit(source: string): number | undefined {
    const now = this.#clock.now();
    const own = this.#sources.get(source);
    if (own !== undefined && now - own.since < INTERVAL_MS) {
      own.hidden++;
      return undefined;
    }
    if (own === undefined && !this.#makeRoom(now)) {
      this.#hiddenOfOthers++;
      return undefined;
    }
    this.#sources.delete(source);
    this.#sources.set(source, { since: now, hidden: 0 });
    const hidden = (own?.hidden ?? 0) + this.#hiddenOfOthers;
    this.#hiddenOfOthers = 0;
    return hidden;
  }

  /** Forgets the source whose line is oldest when there are too many, unless that line is of this second. */
  #makeRoom(now: number): boolean {
    if (this.#sources.size < this.#maxLines) return true;
    for (const [source, { since, hidden }] of this.#sources) {
      if (now - since < INTERVAL_MS) return false;
      this.#sources.delete(source);
      this.#hiddenOfOthers += hidden;
      return true;
    }
    return true;
  }
}

/** The end of a line before which `hidden` others were not written. */
export function hiddenNote(hidden: number): string {
  return hidden === 0 ? "" : ` (${hidden} more not logged)`;
}
