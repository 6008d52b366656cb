/**
 * A log for what other machines can provoke, so that none of them can fill the disk.
 *
 * @module
 */

import type { Logger } from "../../runtime.ts";
import type { Timers } from "./timers.ts";

/** Each source gets one line in this many milliseconds. */
const WINDOW_MS = 1_000;

/** All sources together get this many lines in a window: sources can be forged. */
const LINES_PER_WINDOW = 16;

/** The levels of a {@linkcode Logger}. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Logs at most one line a second of each level for each source; says how many it kept back. */
export class LimitedLog {
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #sources = new Set<string>();
  #windowEnd = -Infinity;
  #suppressed = 0;

  /** Writes to `logger`; `timers` tells the time. */
  constructor(timers: Timers, logger: Logger) {
    this.#timers = timers;
    this.#logger = logger;
  }

  /** Logs `message`, unless `source` (an IP address, a node name) had its line. */
  write(level: LogLevel, source: string, message: string): void {
    // Detail must not displace what matters more.
    const key = `${level} ${source}`;
    const now = this.#timers.now();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + WINDOW_MS;
      this.#sources.clear();
    }
    if (this.#sources.has(key) || this.#sources.size >= LINES_PER_WINDOW) {
      this.#suppressed++;
      return;
    }
    this.#sources.add(key);
    const kept = this.#suppressed;
    this.#suppressed = 0;
    this.#logger[level](kept === 0 ? message : `${message} (${kept} more not logged)`);
  }
}
