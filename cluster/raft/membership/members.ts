/**
 * The configurations of a log: the one that counts is the newest, committed or not; those before it come back when it is cut
 * off.
 *
 * @module
 */

import type { Entry } from "../log/entry.ts";
import { type Configuration, decodeConfiguration, isVoter, votersOf } from "./configuration.ts";

interface Made {
  readonly index: number;
  readonly configuration: Configuration;
  readonly voters: readonly string[];
}

/** Who belongs to the cluster, by the log of one server. */
export class Members {
  /** Oldest first; the first one is committed, or is what there was before the log. */
  #made: Made[];

  /** Begins with what a snapshot says, or with nobody. */
  constructor(index: number, configuration: Configuration) {
    this.#made = [made(index, configuration)];
  }

  /** The members that count. */
  get configuration(): Configuration {
    return this.#latest.configuration;
  }

  /** Index of the entry that made them so; 0 when there is none. */
  get index(): number {
    return this.#latest.index;
  }

  /** The ids of the voters. */
  get voters(): readonly string[] {
    return this.#latest.voters;
  }

  /** The newest configuration at or before `index`, with its index, if it is known. */
  at(index: number): { readonly index: number; readonly configuration: Configuration } | undefined {
    return this.#made.findLast((one) => one.index <= index);
  }

  /** Those of which one is the newest committed configuration, when all up to `commit` is known to be committed. */
  since(commit: number): Configuration[] {
    const first = this.#made.findLastIndex(({ index }) => index <= commit);
    return this.#made.slice(Math.max(0, first)).map(({ configuration }) => configuration);
  }

  /** Whether this server counts. */
  isVoter(id: string): boolean {
    return isVoter(this.configuration, id);
  }

  /** Takes in entries that were appended. Returns whether the members have changed. */
  append(entries: Iterable<Entry>): boolean {
    const before = this.#latest;
    for (const { index, type, data } of entries) {
      if (type === "configuration") this.#made.push(made(index, decodeConfiguration(data)));
    }
    return this.#latest !== before;
  }

  /** Forgets those from `from` on. Returns whether the members have changed. */
  truncate(from: number): boolean {
    const before = this.#latest;
    while (this.#made.length > 1 && this.#latest.index >= from) this.#made.pop();
    return this.#latest !== before;
  }

  /** Forgets those that a newer one up to `index` has replaced for good. */
  trim(index: number): void {
    while ((this.#made[1]?.index ?? Infinity) <= index) this.#made.shift();
  }

  /** Begins anew with a snapshot's members. */
  reset(index: number, configuration: Configuration): void {
    this.#made = [made(index, configuration)];
  }

  get #latest(): Made {
    return this.#made.at(-1) as Made;
  }
}

function made(index: number, configuration: Configuration): Made {
  return { index, configuration, voters: votersOf(configuration) };
}
