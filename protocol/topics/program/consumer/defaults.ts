/**
 * What consumers do unless they are told otherwise, and what they cannot be told.
 *
 * @module
 */

/** Milliseconds between two commits. */
export const DEFAULT_AUTO_COMMIT_MS = 5_000;

/** Bytes of a fetch. */
export const DEFAULT_FETCH_BYTES = 1024 * 1024;

/** How long a server waits for messages, in milliseconds. */
export const DEFAULT_MAX_WAIT_MS = 500;

/** The shortest such wait, in milliseconds: none would be a fetch after the other. */
export const MIN_MAX_WAIT_MS = 10;

/** How long servers keep a silent member of a group, in milliseconds. */
export const DEFAULT_SESSION_TIMEOUT_MS = 30_000;

/** How long a member may take to hand partitions over, in milliseconds. */
export const DEFAULT_REBALANCE_TIMEOUT_MS = 60_000;

/** Bytes that the two fetches of all partitions of a consumer take together; each has at least {@linkcode MIN_FETCH_BYTES}. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** Bytes of a fetch, however many partitions there are. */
export const MIN_FETCH_BYTES = 16 * 1024;

/** How long it is waited for a program to be done with the messages of a partition that is handed over, in milliseconds. */
export const HAND_OVER_MS = 5_000;

/** How often it is looked whether a topic is still the same one, in milliseconds. */
export const LOOK_MS = 5_000;

/** How long a server that is behind is left alone, in milliseconds. */
export const BEHIND_MS = 50;

/** Messages that one `fetch` of a program gives at most. */
export const MAX_FETCHED = 10_000;
