/**
 * Bounds of deadlines that the server which leads keeps, of whomever they are.
 *
 * @module
 */

/** Deadlines are told apart by so many milliseconds. */
export const DEADLINE_GRAIN_MS = 250;

/** After a look that was so much too late nobody's time is over before the next one, in milliseconds. */
export const STALL_MS = 1_000;
