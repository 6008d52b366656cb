/**
 * Numbers of the topics wire (docs/spec/topics.md 2).
 *
 * @module
 */

/** The versions of requests. */
export const VERSION = { first: 1, second: 2 } as const;

/** What a reply is. */
export const STATUS = { ok: 0, error: 1, partial: 2 } as const;

/** Bits of the flags of a request. */
export const FLAG = {
  requireAck: 1,
  compressed: 2,
  batch: 4,
  /** Nobody waits for a reply, and none is sent. */
  async: 8,
  idempotent: 16,
  /** Any server may answer, as of what it has. Only of a fetch. */
  anyServer: 0x8000,
} as const;

/** How messages are compressed. */
export const CODEC = { none: 0, gzip: 1, deflate: 2 } as const;

/** Bits of what a server can do besides. */
export const FEATURE = {
  /** It takes and gives messages that are compressed. */
  compression: 1,
} as const;

/** Why there is no result. Numbers below 100 are those of StreamBus, of which not all are sent. */
export const CODE = {
  UNKNOWN_REQUEST: 1,
  INVALID_REQUEST: 2,
  OFFSET_OUT_OF_RANGE: 3,
  CORRUPT_MESSAGE: 4,
  PARTITION_NOT_FOUND: 5,
  /** It is not known whether it was done. */
  REQUEST_TIMEOUT: 6,
  STORAGE_ERROR: 7,
  TOPIC_NOT_FOUND: 8,
  TOPIC_EXISTS: 9,
  CHECKSUM_MISMATCH: 10,
  INVALID_PROTOCOL: 11,
  MESSAGE_TOO_LARGE: 12,
  UNKNOWN_MEMBER: 20,
  INVALID_SESSION_TIMEOUT: 21,
  REBALANCE_IN_PROGRESS: 22,
  INVALID_GENERATION: 23,
  UNKNOWN_GROUP: 24,
  NOT_COORDINATOR: 25,
  INVALID_COMMIT_SIZE: 26,
  GROUP_AUTHORIZATION_FAILED: 27,
  ILLEGAL_GENERATION: 28,
  INCONSISTENT_GROUP_PROTOCOL: 29,
  INVALID_PRODUCER_EPOCH: 30,
  INVALID_TRANSACTION_STATE: 31,
  UNKNOWN_PRODUCER: 32,
  COORDINATOR_NOT_AVAILABLE: 33,
  COORDINATOR_FENCED: 34,
  PRODUCER_FENCED: 35,
  INVALID_TRANSACTION_TIMEOUT: 36,
  CONCURRENT_TRANSACTIONS: 37,
  TRANSACTION_ABORTED: 38,
  INVALID_PARTITION_LIST: 39,
  AUTHENTICATION_FAILED: 40,
  AUTHORIZATION_FAILED: 41,
  INVALID_CREDENTIALS: 42,
  ACCOUNT_DISABLED: 43,
  /** The message is `id host:port` of the server that leads, or empty when nobody is known to. */
  NOT_LEADER: 100,
  OVERLOADED: 101,
  OUT_OF_ORDER_SEQUENCE: 102,
  QUOTA_EXCEEDED: 104,
  STORAGE_FULL: 105,
} as const;

/** Why a request about topics was refused, or failed. */
export type Reason = keyof typeof CODE;

const REASONS = new Map(Object.entries(CODE).map(([reason, code]) => [code, reason as Reason]));

/** The name of a code; `undefined` for one that is not known. */
export function reasonOf(code: number): Reason | undefined {
  return REASONS.get(code as never);
}

/** What a server is in its cluster. */
export const ROLE = { voter: 1, learner: 2 } as const;

/** Offsets that stand for others. */
export const OFFSET = {
  /** The high water mark: where the next message will be. */
  latest: -1,
  /** The first message that is kept. */
  earliest: -2,
} as const;
