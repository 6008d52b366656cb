/**
 * Bounds of the session wire that both ends know.
 *
 * @module
 */

/** Port that agents serve unless they are told another one. */
export const DEFAULT_PORT = 7_375;

/** Longest frame in bytes, without its length. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Longest payload of a request, a query or a server request, in bytes. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Ids from the lowest pending one on that a session may use: one beyond is refused. */
export const MAX_IN_FLIGHT = 1_024;

/** Most capabilities of a session. */
export const MAX_CAPABILITIES = 64;

/** Most bytes that names and values of a session's capabilities take together. */
export const MAX_CAPABILITY_BYTES = 4 * 1024;

/** Capability of a client that understands messages of type 32 and above; its value is "1". */
export const EXTENSIONS = "session-ext";

/** Capability whose value names the client over all its connections, so that a repeated creation gives the same session. */
export const CLIENT_ID = "client-id";
