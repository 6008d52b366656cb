/**
 * Keeps a flood of like happenings from becoming a flood of log lines.
 *
 * @module
 */

/** Lets one happening per key and interval through and counts the others. Memory is bounded. */
export class LogLimiter {
  readonly #intervalMs: number;
  readonly #maxKeys: number;
  readonly #held = new Map<string, { since: number; hidden: number }>();

  /**
   * @param intervalMs Least time between two lines about one key, in milliseconds.
   * @param maxKeys Keys remembered at a time; above, the one that was let through longest ago is forgotten.
   */
  constructor(intervalMs = 1_000, maxKeys = 256) {
    this.#intervalMs = intervalMs;
    this.#maxKeys = maxKeys;
  }

  /**
   * Whether to write a line about `key` now: the number of happenings hidden since the last line, or `undefined` when
   * this one is to be hidden too.
   */
  admit(key: string): number | undefined {
    const now = performance.now();
    const held = this.#held.get(key);
    if (held !== undefined && now - held.since < this.#intervalMs) {
      held.hidden++;
      return undefined;
    }
    this.#held.delete(key);
    if (this.#held.size >= this.#maxKeys) {
      const [oldest] = this.#held.keys();
      if (oldest !== undefined) this.#held.delete(oldest);
    }
    this.#held.set(key, { since: now, hidden: 0 });
    return held?.hidden ?? 0;
  }
}

/** The end of a line about `hidden` more happenings of its kind. */
export function hiddenNote(hidden: number): string {
  return hidden === 0 ? "" : ` (${hidden} more like this since the last line)`;
}
