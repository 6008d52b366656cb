/**
 * What one client of the session port may cost (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

/** Connections from one address, but for loopback: one machine's programs leave room for those of others. */
export const MAX_CONNECTIONS_PER_SOURCE = 10_000;

/** Clients in all that are strangers: they have no session yet. */
export const MAX_STRANGERS = 2_048;

/** Strangers from one address, but for loopback. */
export const MAX_STRANGERS_PER_SOURCE = 512;

/** How long a client may be without a session, in milliseconds. */
export const STRANGER_LIMIT_MS = 10_000;

/** What one stranger's unfinished message may hold, and its unread answers, in bytes: capabilities and a token have room. */
export const MAX_STRANGER_BYTES = 16 * 1024;

/** Messages are not taken while more than this many bytes wait for the client to read. */
export const MAX_BACKLOG_BYTES = 1024 * 1024;

/** While more bytes wait at all connections together, each has little more than the next answer. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** Requests and questions of one connection that are not answered; no more are read meanwhile. */
export const MAX_IN_FLIGHT = 1_024;

/** Requests of one connection that are there already without an answer; no more messages are read meanwhile. */
export const MAX_REPEATED = 16;

/** Bytes of requests of one connection that are not answered. */
export const MAX_IN_FLIGHT_BYTES = 4 * 1024 * 1024;

/** Bytes of all clients' messages that are not whole yet; beyond it only small ones go on. */
export const MAX_UNFINISHED_BYTES = 256 * 1024 * 1024;

/** Listings of all connections that are gone through at a time. */
export const MAX_LISTINGS = 2;

/** A question gets its answer within this time, in milliseconds. */
export const QUERY_LIMIT_MS = 5_000;

/** A client that takes not one byte for this long, although some wait for it, is disconnected; in milliseconds. */
export const STALL_LIMIT_MS = 30_000;

/** A client that has shown so many wrong tokens one after the other is disconnected. */
export const MAX_AUTH_FAILURES = 5;

/** What is under way gets this long when the port closes, in milliseconds. */
export const DRAIN_LIMIT_MS = 1_000;

/** Pause between two looks at whether clients are to be told of other servers, in milliseconds. */
export const CLUSTER_LOOK_MS = 500;
