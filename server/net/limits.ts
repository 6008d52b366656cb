/**
 * What one connection may cost, whatever its port (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

/** First size of a read buffer in bytes: a waiting read pins its buffer. */
export const FIRST_READ_BYTES = 512;

/** Largest size of a read buffer in bytes. What one chunk asks for is done before the next is read. */
export const MAX_READ_BYTES = 16 * 1024;

/** After the last answer of a connection that the agent closes, the peer has this long to read it, in milliseconds. */
export const LINGER_MS = 1_000;

/** Pause after a failed accept in milliseconds: doubles from the first to the second (docs/spec/memberlist.md 10). */
export const ACCEPT_PAUSE_MS = { first: 5, longest: 1_000 } as const;
