/**
 * How far the file may be behind the state.
 *
 * @module
 */

/** How much may be in memory, and for how long. */
export interface StoreLimits {
  /** Changed keys from which on they are written. Default 32,768. */
  readonly flushRows: number;
  /** Bytes of them. Default 8 MiB. */
  readonly flushBytes: number;
  /** Milliseconds that changes are in memory until they are written at the latest. Default 10,000: of few changes each costs a page. */
  readonly flushMs: number;
  /** Changed keys with which `SqliteStore.mustWait` begins. Default 131,072. */
  readonly mostRows: number;
  /** Bytes of them. Default 32 MiB. */
  readonly mostBytes: number;
}

/** The defaults of {@linkcode StoreLimits}. Many rows at once share pages: the more there are, the less each one costs. */
export const DEFAULT_STORE_LIMITS: StoreLimits = {
  flushRows: 32_768,
  flushBytes: 8 * 1024 * 1024,
  flushMs: 10_000,
  mostRows: 131_072,
  mostBytes: 32 * 1024 * 1024,
};
