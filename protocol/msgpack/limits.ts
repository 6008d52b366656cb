/**
 * What a decoder refuses: the error it throws and the bounds it keeps.
 *
 * @module
 */

/** Bytes that are not the MessagePack value that was asked for, or that ask for more than a limit allows. */
export class DecodeError extends Error {
  /** Always "DecodeError". */
  override name = "DecodeError";
}

/** Bounds a decoder checks before it spends memory or stack on what the bytes claim. */
export interface Limits {
  /** How deep containers may nest. */
  readonly maxDepth: number;
  /** Length in bytes of one string, byte string or extension. */
  readonly maxBytes: number;
  /** Elements of one array, or pairs of one map. */
  readonly maxCount: number;
}

/**
 * The bounds used when the caller gives none: 128 levels (no Serf message has more than 5), 20 MiB for
 * one string (the largest user state of a push/pull) and 1,048,576 elements (the most nodes of a
 * push/pull), both of docs/spec/memberlist.md 10.
 */
export const DEFAULT_LIMITS: Limits = {
  maxDepth: 128,
  maxBytes: 20 * 1024 * 1024,
  maxCount: 1_048_576,
};

/** `overrides` over {@linkcode DEFAULT_LIMITS}. */
export function withDefaultLimits(overrides: Partial<Limits> | undefined): Limits {
  return overrides === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...overrides };
}
