/**
 * Keeps changed keys where they outlive the process.
 *
 * @module
 */

import type { SerfConfig } from "../model/config.ts";

/** Saves the keys of one instance, one time after the other. */
export class KeySaver {
  readonly #save: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** A saver for the keys of `config`; it does nothing without keys or without a place for them. */
  constructor({ memberlist: { keyring }, saveKeys }: SerfConfig) {
    this.#save = async () => {
      if (keyring !== undefined) await saveKeys?.(keyring.keys());
    };
  }

  /**
   * Saves the keys as they are now, or a little later: calls that come while keys are being saved share the next time.
   * Rejects with the error of `saveKeys`.
   */
  save(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      const saved = this.#save();
      this.#next = undefined;
      // Whoever asked to save gets the error.
      this.#last = saved.catch(() => {});
      return saved;
    });
    return this.#next;
  }

  /** Resolves when nothing is being saved. */
  async idle(): Promise<void> {
    while (this.#next !== undefined) {
      await this.#next.catch(() => {}); // Whoever asked to save gets the error.
    }
    await this.#last;
  }
}
