/**
 * What one RPC client may cost (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

/** Connections of clients in all. One that waits takes some 10 KiB. */
export const MAX_CLIENTS = 16_384;

/** Connections from one address, but for loopback: one machine's programs leave room for those of others. */
export const MAX_CLIENTS_PER_SOURCE = 12_288;

/**
 * Clients in all that are strangers: before the handshake, or `auth` on an agent with a token. A client that comes to
 * talk is one for a round trip or two.
 */
export const MAX_STRANGERS = 1_024;

/** Strangers from one address, but for loopback. */
export const MAX_STRANGERS_PER_SOURCE = 256;

/** How long a client may be a stranger, in milliseconds. Somebody who types by hand has time enough. */
export const STRANGER_LIMIT_MS = 30_000;

/** What one stranger's unfinished request may hold, and its unread answers, in bytes, beside a token as long as the agent's. */
export const MAX_STRANGER_BYTES = 4 * 1024;

/** A wrong token is answered after this long, in milliseconds, and ends the connection: guessing is slow. */
export const AUTH_DELAY_MS = 500;

/** Largest request header or body in bytes. A larger one closes the connection. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** Deepest nesting of a request; the deepest that a command knows has 3 levels. */
export const MAX_REQUEST_DEPTH = 16;

/** Elements of one list or map of a request. */
export const MAX_REQUEST_COUNT = 16_384;

/** Requests are not taken while more than this many bytes of answers wait for the client to read. */
export const MAX_BACKLOG_BYTES = 256 * 1024;

/** A client that takes not one byte for this long, although some wait for it, is disconnected; in milliseconds. */
export const STALL_LIMIT_MS = 30_000;

/**
 * Records of one stream or monitor that wait for the client; newer ones are dropped. The Go agent has room for 512
 * (docs/spec/agent.md 1.7), which a burst of 1,000 events overruns although the client reads.
 */
export const MAX_WAITING_RECORDS = 4_096;

/** Records are dropped, too, when this many bytes wait for the client. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** Event streams of one connection. */
export const MAX_STREAMS = 1_024;

/** Queries of one connection that run at a time. */
export const MAX_QUERIES = 1_024;

/** Queries that the streams of one connection delivered and that may still be answered. */
export const MAX_PENDING_QUERIES = 1_024;

/** Addresses of one join. */
export const MAX_JOIN_ADDRESSES = 4_096;

/** Answers still on their way get this long when the agent shuts down, in milliseconds. */
export const SHUTDOWN_FLUSH_MS = 250;
