/**
 * What a start knows of a log: what the core cannot do without of the entries that stay on the disk, and entries that do not.
 *
 * @module
 */

import type { Entry } from "./entry.ts";
import type { Sizes } from "./sizes.ts";
import type { Terms } from "./terms.ts";

/** Entries that are on the disk alone. */
export interface OnDisk {
  /** Their terms, and the index before them. */
  readonly terms: Terms;
  /** Those of them that say who belongs to the cluster. */
  readonly configurations: readonly Entry[];
  /** What they take, counted by `entryBytes`. */
  readonly sizes: Sizes;
}

/** The log of a server that starts. */
export interface RestoredEntries {
  /** The entry before the first one of the log: nothing, or one that a snapshot covers. */
  readonly beforeIndex: number;
  /** Its term. */
  readonly beforeTerm: number;
  /** The entries that are not in memory. Default: there are none. */
  readonly onDisk?: OnDisk | undefined;
  /** The entries after those, up to the last one. */
  readonly entries: readonly Entry[];
}

/** The last index; the one before the first entry when there is none. */
export function lastIndexOf({ beforeIndex, onDisk, entries }: RestoredEntries): number {
  return (onDisk?.terms.last ?? beforeIndex) + entries.length;
}

/** The term of an entry; `undefined` when there is no such entry. */
export function termOf(restored: RestoredEntries, index: number): number | undefined {
  const { beforeIndex, onDisk, entries } = restored;
  if (index <= beforeIndex) return undefined;
  return onDisk?.terms.at(index) ?? entries[index - 1 - (onDisk?.terms.last ?? beforeIndex)]?.term;
}
