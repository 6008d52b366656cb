/**
 * What one client of the key-value port may cost (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

/** Connections in all. */
export const MAX_CONNECTIONS = 10_000;

/** Connections from one address, but for loopback: one machine's programs leave room for those of others. */
export const MAX_CONNECTIONS_PER_SOURCE = 7_500;

/** Requests of one connection that are not answered, one about many nodes counting for each; no more are read meanwhile. */
export const MAX_IN_FLIGHT = 1_000;

/** Bytes of requests of one connection that are not answered, and of answers that wait for others before them. */
export const MAX_IN_FLIGHT_BYTES = 4 * 1024 * 1024;

/** Bytes of all clients' lines that are not whole yet; beyond it only short ones go on. */
export const MAX_UNFINISHED_BYTES = 256 * 1024 * 1024;

/** Listings of all connections that are gone through at a time. */
export const MAX_LISTINGS = 2;

/** Requests are not taken while more than this many bytes of answers wait for the client to read. */
export const MAX_BACKLOG_BYTES = 1024 * 1024;

/** While more bytes of answers wait at all connections together, each has the next one only. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** Messages, and bytes of them, that wait for one client that has subscribed; the oldest are dropped beyond that. */
export const MAX_PUSHES = 10_000;
/** See {@linkcode MAX_PUSHES}. */
export const MAX_PUSHES_BYTES = 8 * 1024 * 1024;

/** While more bytes of messages wait for all clients together, each has little more than one of them. */
export const MAX_ALL_PUSHES_BYTES = 256 * 1024 * 1024;

/** A client that takes not one byte for this long, although some wait for it, is disconnected; in milliseconds. */
export const STALL_LIMIT_MS = 30_000;

/**
 * Clients in all that are strangers: they have not shown who they are where they have to, or are not done with the handshake of
 * TLS. A client that comes to talk is one for a round trip or two.
 */
export const MAX_STRANGERS = 1_024;

/** Strangers from one address, but for loopback. */
export const MAX_STRANGERS_PER_SOURCE = 256;

/** How long a client may be a stranger, in milliseconds. */
export const STRANGER_LIMIT_MS = 10_000;

/** What one stranger's unfinished line may hold, and its unread answers, in bytes. */
export const MAX_STRANGER_BYTES = 4 * 1024;

/** A client that has shown so many wrong tokens or passwords one after the other is disconnected. */
export const MAX_AUTH_FAILURES = 5;

/** A line has to end this long after its first byte, in milliseconds. */
export const LINE_LIMIT_MS = 30_000;

/** A client that sends no line for this long is disconnected, in milliseconds. */
export const IDLE_LIMIT_MS = 300_000;

/** A client that only listens is asked for a line after this long, in milliseconds, and has as long to send one. */
export const PING_MS = 60_000;

/** A request gets its answer within this time, in milliseconds. */
export const REQUEST_LIMIT_MS = 5_000;

/**
 * Requests that are under way get this long when the port closes, in milliseconds: long enough for a server that ends meanwhile
 * to hand over, and within what the end of an agent may take.
 */
export const DRAIN_LIMIT_MS = 2_500;
