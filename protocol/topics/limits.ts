/**
 * Bounds of the topics wire that both ends know.
 *
 * @module
 */

/** Port that servers serve unless they are told another one. */
export const DEFAULT_PORT = 9_092;

/** Longest frame, in bytes; when it is read without its length, when it is written with it. */
export const MAX_FRAME_BYTES = 10 * 1024 * 1024;

/** Shortest request, in bytes without its length. */
export const MIN_REQUEST_BYTES = 16;

/** Shortest reply, in bytes without its length. */
export const MIN_REPLY_BYTES = 15;

/** Longest message as it is encoded, in bytes. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Longest name of a topic, of a group, of a member of one and of a client, in bytes. */
export const MAX_NAME_BYTES = 249;

/** Most partitions of a topic. */
export const MAX_PARTITIONS = 1_024;

/** Longest text that is kept with a committed offset, in bytes. */
export const MAX_METADATA_BYTES = 4_096;

/** Most partitions that one request commits or asks for. */
export const MAX_COMMITTED = 10_000;

/** Most topics that one request asks for by name: as many as there may be. */
export const MAX_NAMED_TOPICS = 10_000;

/** Most partitions that one transaction appends to, offsets that it commits and messages with ids, together. */
export const MAX_TRANSACT_ITEMS = 1_024;

/** Most topics that a member of a group subscribes to. */
export const MAX_SUBSCRIBED = 256;

/** Most partitions of all topics that the members of a group subscribe to. */
export const MAX_GROUP_PARTITIONS = 10_000;

/** Least and longest time, in milliseconds, that a member may be silent, and that it may take to hand partitions over. */
export const MEMBER_TIMEOUT_MS = { least: 1_000, most: 3_600_000 } as const;
