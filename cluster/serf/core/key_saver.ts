/**
 * Changes keys, all or nothing: what cannot be kept for a later life does not come into effect.
 *
 * @module
 */

import { Keyring } from "../../memberlist/wire/keyring.ts";
import type { SerfConfig } from "../model/config.ts";

/** Changes a keyring, or throws and changes nothing. */
export type KeyChange = (keyring: Keyring) => void;

interface Pending {
  readonly change: KeyChange;
  readonly done: PromiseWithResolvers<void>;
}

/** Changes and saves the keys of one instance, one time after the other. */
export class KeySaver {
  readonly #keyring: Keyring | undefined;
  readonly #saveKeys: SerfConfig["saveKeys"];
  readonly #pending: Pending[] = [];
  #running: Promise<void> | undefined;

  /** A saver for the keys of `config`; without a place for them a change is made at once. */
  constructor({ memberlist: { keyring }, saveKeys }: SerfConfig) {
    this.#keyring = keyring;
    this.#saveKeys = saveKeys;
  }

  /**
   * Makes a change when the keys that it leads to are saved. Changes that come while keys are being saved are saved
   * together, in their order. Rejects with what `change` throws, and with the error of `saveKeys`; the keys are as they
   * were then.
   */
  change(change: KeyChange): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#pending.push({ change, done });
    this.#running ??= this.#run();
    return done.promise;
  }

  /** Resolves when nothing is being saved. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) await this.#make(this.#pending.splice(0));
    this.#running = undefined;
  }

  async #make(batch: readonly Pending[]): Promise<void> {
    const keyring = this.#keyring;
    if (keyring === undefined) return batch.forEach(({ done }) => done.resolve());
    const changed = new Keyring(keyring.keys());
    const good = batch.filter((one) => attempt(one, changed));
    if (good.length === 0) return;
    try {
      await this.#saveKeys?.(changed.keys());
    } catch (error) {
      return good.forEach(({ done }) => done.reject(error));
    }
    for (const one of good) if (attempt(one, keyring)) one.done.resolve();
  }
}

function attempt({ change, done }: Pending, keyring: Keyring): boolean {
  try {
    change(keyring);
    return true;
  } catch (error) {
    done.reject(error);
    return false;
  }
}
