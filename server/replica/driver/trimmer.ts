/**
 * Takes entries off the beginning of the log that a snapshot covers.
 *
 * @module
 */

import type { LogStore, StateStore } from "./parts.ts";

/** What the log is trimmed with. */
export interface TrimmerParts {
  readonly store: Pick<StateStore, "sync">;
  readonly log: Pick<LogStore, "trim">;
  /** It did not work; the next try takes them off as well. */
  readonly failed: (error: Error) => void;
}

/** Trims a log once at a time: a sync takes long, and what comes meanwhile is done with the next one. */
export class Trimmer {
  readonly #parts: TrimmerParts;
  /** Up to where entries may go, if some may. */
  #index: number | undefined;
  #isRunning = false;

  /** Nothing is to be trimmed yet. */
  constructor(parts: TrimmerParts) {
    this.#parts = parts;
  }

  /** Whether it is about it. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Has entries up to `index` removed, which is more than before. */
  to(index: number): void {
    this.#index = index;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run().catch(this.#parts.failed);
  }

  /** Before entries go, the state that was made of them is made safe, or a restart would load the whole snapshot. */
  async #run(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      for (let index = this.#index; index !== undefined; index = this.#index) {
        this.#index = undefined;
        await store.sync();
        await log.trim(index);
      }
    } finally {
      this.#isRunning = false;
    }
  }
}
