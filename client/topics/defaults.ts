/**
 * What clients of topics do unless they are told otherwise, and what they cannot be told.
 *
 * @module
 */

/** How long a request may take, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** How long a connection may take to come about, in milliseconds. */
export const DEFAULT_DIAL_TIMEOUT_MS = 10_000;

/** How long a connection that nobody needs is kept, in milliseconds: servers close theirs after five minutes, and a request would cross that. */
export const DEFAULT_IDLE_MS = 240_000;

/** Most connections to one server. */
export const MAX_CONNECTIONS = 5;

/** Pause before the second try, in milliseconds. */
export const DEFAULT_MIN_DELAY_MS = 100;

/** Longest pause between tries, in milliseconds: when a leader has died the next one leads within seconds. */
export const DEFAULT_MAX_DELAY_MS = 1_000;

/** Messages of a batch. */
export const DEFAULT_BATCH_MESSAGES = 100;

/** Bytes of a batch. */
export const DEFAULT_BATCH_BYTES = 64 * 1024;

/** Most bytes of a batch that a program can ask for: it has to fit a frame. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** How long the first message of a batch waits for more, in milliseconds. */
export const DEFAULT_LINGER_MS = 10;

/** Servers know the last five batches of a producer. */
export const MAX_IN_FLIGHT = 5;

/** Bytes of messages of a producer that are not settled. */
export const DEFAULT_BUFFER_BYTES = 32 * 1024 * 1024;

/** How long a consumer that is closed waits for servers, in milliseconds. */
export const CLOSE_LIMIT_MS = 5_000;
