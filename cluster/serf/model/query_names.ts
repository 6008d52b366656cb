/**
 * The queries that agents ask each other (docs/spec/serf.md 12.1).
 *
 * @module
 */

/** Queries whose name begins so are answered by the agent itself and never reach the application. */
export const INTERNAL_PREFIX = "_serf_";

/** The query that is only asked for its acks. */
export const PING_QUERY = `${INTERNAL_PREFIX}ping`;

/** The query of a node whose name is claimed by another one: who has this name? */
export const CONFLICT_QUERY = `${INTERNAL_PREFIX}conflict`;

/** The queries that change keys, by what they do. */
export const KEY_QUERIES = {
  install: `${INTERNAL_PREFIX}install-key`,
  use: `${INTERNAL_PREFIX}use-key`,
  remove: `${INTERNAL_PREFIX}remove-key`,
} as const;

/** The query for the keys of every node. */
export const LIST_KEYS_QUERY = `${INTERNAL_PREFIX}list-keys`;

/**
 * The same question under a name that a Go agent does not know, so that it does not answer: asked when the answer would
 * be one that ends Serf 0.9.4 (docs/spec/serf.md 21.3). Not part of Serf.
 */
export const LIST_MANY_KEYS_QUERY = `${INTERNAL_PREFIX}skein-list-keys`;
