/**
 * Bounds of the key-value wire that both ends know.
 *
 * @module
 */

/** Port that agents serve unless they are told another one. */
export const DEFAULT_PORT = 8379;

/** Version of the wire. */
export const PROTOCOL_VERSION = 1;

/** Longest line in bytes, without its end. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** How much of a line that is too long is passed over, in bytes, before the connection is given up. */
export const MAX_SKIPPED_BYTES = 16 * 1024 * 1024;

/** How deep arrays and objects of a line may nest in each other, the request itself being the first. */
export const MAX_DEPTH = 64;

/** Most items of a listing. */
export const MAX_LISTED = 10_000;

/** Items of a listing unless it says how many. */
export const DEFAULT_LISTED = 1_000;

/** Longest time that a value may be given, in milliseconds: ten years. */
export const MAX_TTL_MS = 10 * 365 * 24 * 3_600 * 1_000;

/** Most items of a request that is about many keys. */
export const MAX_ITEMS = 1_000;

/** Most conditions of a transaction, most steps when they hold, and most when they do not. */
export const MAX_STEPS = 128;

/** Most levels that a listing can go down: a path has no more segments. */
export const MAX_LEVELS = 16;

/** Longest message of a channel, in bytes of its JSON text. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** Most subscriptions of one connection. */
export const MAX_SUBSCRIPTIONS = 1_000;

/** Most watches of one connection. */
export const MAX_WATCHES = 1_000;

/** Longest capability that somebody is looked for by, with its value, in UTF-16 units. */
export const MAX_SKILL_LENGTH = 256;

/** Longest name that a client gives itself, in UTF-16 units. */
export const MAX_CLIENT_LENGTH = 256;

/** Longest `id` that is a text, in UTF-16 units. */
export const MAX_ID_LENGTH = 64;
