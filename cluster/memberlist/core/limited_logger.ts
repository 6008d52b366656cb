/**
 * A log for what other machines can provoke, so that none of them can fill the disk.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../log_limiter.ts";
import type { Clock, Logger } from "../../runtime.ts";

/** All sources together get this many lines a second: sources can be forged. */
const MAX_LINES = 16;

/** The levels of a {@linkcode Logger}. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Logs at most one line a second of each level for each source; says how many it kept back. */
export class LimitedLogger {
  readonly #limiter: LogLimiter;
  readonly #logger: Logger;

  /** Writes to `logger`; `clock` tells the time. */
  constructor(clock: Pick<Clock, "now">, logger: Logger) {
    this.#limiter = new LogLimiter(clock, MAX_LINES);
    this.#logger = logger;
  }

  /** Logs `message`, unless `source` (an IP address, a node name) had its line. */
  write(level: LogLevel, source: string, message: string): void {
    // Detail must not displace what matters more.
    const hidden = this.#limiter.admit(`${level} ${source}`);
    if (hidden !== undefined) this.#logger[level](message + hiddenNote(hidden));
  }
}
