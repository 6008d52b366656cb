/**
 * What one RPC client may cost (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

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
 * (agent.md 1.7), which a burst of 1,000 events overruns although the client reads.
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
