/**
 * The reasons that messages give, by number (docs/spec/sessions.md 3). Others may follow: who does not know one takes it for the last word of its message.
 *
 * @module
 */

/** Why a session was neither created nor continued. */
export const REJECTED = {
  /** Ask the leader. */
  notLeader: 1,
  /** There is no such session, or none any more. */
  sessionExpired: 2,
  /** The capabilities break a rule. */
  invalidCapabilities: 3,
  other: 4,
  /** The leader can commit nothing now. */
  noQuorum: 5,
  tooManySessions: 6,
  unauthorized: 7,
} as const;

/** Why a connection is closed by the server. The session lives on, but for the last reason. */
export const CLOSED = {
  shutdown: 1,
  notLeaderAnymore: 2,
  /** The client broke a rule of the wire. */
  sessionError: 3,
  connectionClosed: 4,
  sessionExpired: 5,
} as const;

/** Why the client ends its session. */
export const CLOSE = { clientShutdown: 1 } as const;

/** Why a request has no result: this attempt executed nothing. An earlier one may have, and by the first reason one has. */
export const REQUEST_ERROR = {
  /** It was answered before, and the answer is gone. */
  responseEvicted: 1,
  tooManyInFlight: 2,
  overloaded: 3,
  payloadTooLarge: 4,
  invalidPayload: 5,
  storageFull: 6,
} as const;

/** Why a query has no result. */
export const QUERY_ERROR = {
  notLeader: 1,
  timeout: 2,
  invalidPayload: 3,
  overloaded: 4,
} as const;

/** What a server is in its cluster. */
export const MEMBER_ROLE = { voter: 1, learner: 2 } as const;
