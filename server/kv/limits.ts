/**
 * What one client of the key-value port may cost (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

/** Connections in all. */
export const MAX_CONNECTIONS = 10_000;

/** Connections from one address, but for loopback: one machine's programs leave room for those of others. */
export const MAX_CONNECTIONS_PER_SOURCE = 7_500;

/** Requests of one connection that are not answered; no more are read meanwhile. */
export const MAX_IN_FLIGHT = 1_000;

/** Bytes of requests of one connection that are not answered, and of answers that wait for others before them. */
export const MAX_IN_FLIGHT_BYTES = 4 * 1024 * 1024;

/** Listings of all connections that are gone through at a time. */
export const MAX_LISTINGS = 2;

/** Requests are not taken while more than this many bytes of answers wait for the client to read. */
export const MAX_BACKLOG_BYTES = 1024 * 1024;

/** While more bytes of answers wait at all connections together, each has the next one only. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** A client that takes not one byte for this long, although some wait for it, is disconnected; in milliseconds. */
export const STALL_LIMIT_MS = 30_000;

/** A line has to end this long after its first byte, in milliseconds. */
export const LINE_LIMIT_MS = 30_000;

/** A client that sends no line for this long is disconnected, in milliseconds. */
export const IDLE_LIMIT_MS = 300_000;

/** A request gets its answer within this time, in milliseconds. */
export const REQUEST_LIMIT_MS = 5_000;

/**
 * Requests that are under way get this long when the port closes, in milliseconds: long enough for a server that ends meanwhile
 * to hand over, and within what the end of an agent may take.
 */
export const DRAIN_LIMIT_MS = 2_500;
