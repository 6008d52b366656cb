/**
 * What one client of the topics port may cost (docs/LIMITS.md has the same list for operators).
 *
 * @module
 */

/** Connections from one address, but for loopback: one machine's programs leave room for those of others. */
export const MAX_CONNECTIONS_PER_SOURCE = 7_500;

/** Clients in all that are strangers: they have not shown who they are where they have to, or are not done with the handshake of TLS. */
export const MAX_STRANGERS = 1_024;

/** Strangers from one address, but for loopback. */
export const MAX_STRANGERS_PER_SOURCE = 256;

/** How long a client may be a stranger, in milliseconds. */
export const STRANGER_LIMIT_MS = 10_000;

/** What one stranger's unfinished frame may hold, and its unread answers, in bytes: a token has room. */
export const MAX_STRANGER_BYTES = 16 * 1024;

/** Requests of one connection that are not answered; no more are read meanwhile. */
export const MAX_IN_FLIGHT = 256;

/** Bytes of such requests. */
export const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;

/** Requests are not taken, and messages not read, while more than this many bytes wait for the client to read. */
export const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** Bytes of memory for large answers that are kept for the next ones. */
export const MAX_IDLE_BUFFER_BYTES = 4 * 1024 * 1024;

/** While more bytes wait at all connections together ... */
export const MAX_WAITING_BYTES = 128 * 1024 * 1024;

/** ... a fetch gets no more than this, or one message. */
export const FAIR_FETCH_BYTES = 64 * 1024;

/** Bytes of frames of all connections that are not whole yet; while there are more, a client may have 16 KiB of one. */
export const MAX_UNFINISHED_BYTES = 512 * 1024 * 1024;

/** While more compressed bytes of all connections wait to be inflated, no more are taken. */
export const MAX_PACKED_BYTES = 64 * 1024 * 1024;

/** Longest time that a fetch waits for messages, in milliseconds. */
export const MAX_FETCH_WAIT_MS = 60_000;

/** A client that takes not one byte for this long, although some wait for it, is disconnected; in milliseconds. */
export const STALL_LIMIT_MS = 30_000;

/** A frame has to end this long after its first byte, in milliseconds. */
export const FRAME_LIMIT_MS = 30_000;

/** A client that has sent so many frames that are no requests, or requests that it may not send, is disconnected. */
export const MAX_MISTAKES = 16;

/** What is under way gets this long when the port closes, in milliseconds: within what the end of an agent may take. */
export const DRAIN_LIMIT_MS = 2_500;
