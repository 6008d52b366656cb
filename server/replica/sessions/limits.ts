/**
 * What sessions may cost the server that leads (docs/LIMITS.md has the same list for operators). What the state itself bounds
 * stands in `cluster/machine/sys/limits.ts`.
 *
 * @module
 */

/** Pause between two looks at who is silent, and at what is to be sent again, in milliseconds. */
export const TICK_MS = 1_000;

/** How long a proposal of a client may take before it is given up, in milliseconds: a leader without a majority is none long before. */
export const PROPOSAL_LIMIT_MS = 30_000;

/** Requests of all sessions that wait for what comes of them ... */
export const MAX_PROPOSALS = 10_000;

/** ... and bytes of them. */
export const MAX_PROPOSAL_BYTES = 64 * 1024 * 1024;

/** Sessions that may begin in a second ... */
export const CREATIONS_PER_SECOND = 500;

/** ... and at once, after a pause of two: a fleet of clients starts within less. */
export const CREATIONS_AT_ONCE = 1_000;

/** Acknowledgements are proposed together: at the latest after so many milliseconds ... */
export const ACK_DELAY_MS = 50;

/** ... or once so many sessions have acknowledged something. */
export const MAX_MERGED_ACKS = 64;

/** What the log is told of connections goes together, at the latest after so many milliseconds. */
export const PRESENCE_DELAY_MS = 50;

/** Signs of life of clients at the key-value port are told so often in the time that a session lives without one. */
export const LOOKS_PER_TIMEOUT = 4;

/** How long what servers tell each other of sessions may take before it is tried again, in milliseconds. */
export const FORWARD_LIMIT_MS = 5_000;

/** Server requests that are sent to a session and not acknowledged ... */
export const MAX_UNACKED = 100;

/** ... and bytes of them, but for one more. */
export const MAX_UNACKED_BYTES = 1024 * 1024;

/** Server requests that are not acknowledged are sent again after so long, in milliseconds, each time after twice as long ... */
export const FIRST_RESEND_MS = 10_000;

/** ... up to this. */
export const LONGEST_RESEND_MS = 60_000;

/** Sessions are looked through so many at a time ... */
export const SCANNED = 100;

/** ... with a pause of so many milliseconds. */
export const SCAN_PAUSE_MS = 10;
