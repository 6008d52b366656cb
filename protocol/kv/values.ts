/**
 * Keys, values and what is known of them, as programs see them.
 *
 * @module
 */

/** A value of JSON. */
export type KvValue =
  | string
  | number
  | boolean
  | null
  | readonly KvValue[]
  | { readonly [name: string]: KvValue };

/** A key: a text as clients write it, with `^` between its segments, or the segments from the root on. */
export type KvKey = string | readonly string[];

/** A value and when it was set. */
export interface KvEntry {
  /** The value. */
  readonly value: KvValue;
  /** Revision of its last change. */
  readonly rev: number;
}

/** Whether there is something at a key, and below it. */
export interface KvExistence {
  /** Whether it has a value. */
  readonly value: boolean;
  /** Whether there are keys below it. */
  readonly children: boolean;
}
