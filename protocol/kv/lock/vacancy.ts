/**
 * Waiting until a key has no value: by a watch, and by looking now and then where there is none.
 *
 * @module
 */

import type { KvKey, KvWatch } from "../values.ts";
import type { LockStore, LockWorld } from "./lock.ts";

/** How long it is waited at most before it is tried again, in milliseconds: a server that hangs tells nothing. */
const LOOK_MS = { watched: 5_000, unwatched: 1_000 } as const;

/** Tells when it is worth trying to take a key. */
export class Vacancy {
  readonly #store: LockStore;
  readonly #clock: LockWorld["clock"];
  readonly #key: KvKey;
  #watch: KvWatch | undefined;
  #reading = false;
  #isFree = false;
  #isOver = false;
  #wake: (() => void) | undefined;

  /** Begins with the first wait. */
  constructor(store: LockStore, clock: LockWorld["clock"], key: KvKey) {
    this.#store = store;
    this.#clock = clock;
    this.#key = key;
  }

  /** Waits until the key was freed, for at most `ms` milliseconds, or until {@linkcode Vacancy.stop}. */
  async wait(ms: number): Promise<void> {
    if (!this.#reading) {
      this.#read().catch(() => {
        // No watch is to be had, or it broke: the next wait tries again, and it is looked now and then meanwhile.
      });
    }
    if (!this.#isFree && !this.#isOver) {
      const limit = this.#watch === undefined ? LOOK_MS.unwatched : LOOK_MS.watched;
      await new Promise<void>((resolve) => {
        const timer = this.#clock.setTimer(Math.min(ms, limit), resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#isFree = false;
  }

  /** Ends the wait, and the watch. */
  stop(): void {
    this.#isOver = true;
    this.#wake?.();
    this.#watch?.stop().catch(() => {
      // Nobody waits for the end of a watch.
    });
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      const watch = this.#watch = await this.#store.watch(this.#key);
      if (this.#isOver) return;
      // That may have happened before the watch began.
      this.#free();
      for await (const { kind } of watch) {
        if (kind === "del" || kind === "expire") this.#free();
      }
    } finally {
      this.#reading = false;
      const watch = this.#watch;
      this.#watch = undefined;
      await watch?.stop();
    }
  }

  #free(): void {
    this.#isFree = true;
    this.#wake?.();
  }
}
