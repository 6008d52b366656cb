/**
 * What is wrong with a request, or went wrong with it: codes, reasons and words.
 *
 * @module
 */

/** Why a request was not done. */
export interface Problem {
  readonly ok: false;
  /** Number of the kind, as in HTTP. */
  readonly code: number;
  /** Name of the kind. */
  readonly reason: string;
  /** The member of the request that is wrong. */
  readonly field?: string;
  /** The revision that a condition met. */
  readonly rev?: number;
}

function problem(code: number, reason: string): Problem {
  return { ok: false, code, reason };
}

/** A line that is no JSON. */
export const BAD_JSON: Problem = problem(400, "BAD_JSON");
/** A line that is no UTF-8. */
export const BAD_UTF8: Problem = problem(400, "BAD_UTF8");
/** A line that is JSON, but no object. */
export const NOT_OBJECT: Problem = problem(400, "NOT_OBJECT");
/** A line that nests too deep. */
export const TOO_DEEP: Problem = problem(400, "TOO_DEEP");
/** A request of somebody who has not shown who it is. */
export const AUTH_REQUIRED: Problem = problem(401, "AUTH_REQUIRED");
/** A token, or a user and a password, that nobody has. */
export const AUTH_FAILED: Problem = problem(401, "AUTH_FAILED");
/** What the client has no right to. */
export const FORBIDDEN: Problem = problem(403, "FORBIDDEN");
/** An action that does not exist. */
export const UNKNOWN_ACTION: Problem = problem(405, "UNKNOWN_ACTION");
/** A line whose end did not come in time. */
export const LINE_TIMEOUT: Problem = problem(408, "LINE_TIMEOUT");
/** A peer that sent no line for too long. */
export const IDLE_TIMEOUT: Problem = problem(408, "IDLE_TIMEOUT");
/** A line that is too long. */
export const LINE_TOO_LONG: Problem = problem(413, "LINE_TOO_LONG");
/** A version of the wire that is not spoken here. */
export const UNSUPPORTED_VERSION: Problem = {
  ...problem(426, "UNSUPPORTED_VERSION"),
  field: "version",
};
/** More connections than there may be. */
export const TOO_MANY_CONNECTIONS: Problem = problem(429, "TOO_MANY_CONNECTIONS");
/** More tries than there may be in a time. */
export const RATE_LIMITED: Problem = problem(429, "RATE_LIMITED");
/** More subscriptions than a connection, or the agent, may have. */
export const TOO_MANY_SUBSCRIPTIONS: Problem = problem(429, "TOO_MANY_SUBSCRIPTIONS");
/** More watches than a connection, or the agent, may have. */
export const TOO_MANY_WATCHES: Problem = problem(429, "TOO_MANY_WATCHES");
/** A watch that is none of this connection. */
export const WATCH_NOT_FOUND: Problem = problem(404, "WATCH_NOT_FOUND");
/** Changes from a revision on that this agent does not have any more. */
export const REVISION_GONE: Problem = { ...problem(410, "REVISION_GONE"), field: "from_rev" };
/** A client that does not read what it has asked to be told. */
export const SLOW_CONSUMER: Problem = problem(408, "SLOW_CONSUMER");
/** A message that is too long. */
export const MESSAGE_TOO_LARGE: Problem = {
  ...problem(413, "MESSAGE_TOO_LARGE"),
  field: "message",
};
/** What is to be done takes too many bytes. */
export const PAYLOAD_TOO_LARGE: Problem = {
  ...problem(413, "PAYLOAD_TOO_LARGE"),
  field: "payload",
};
/** A fault of the program. */
export const INTERNAL: Problem = problem(500, "INTERNAL");

/** A member that is missing or wrong. */
export function invalid(field: string): Problem {
  return { ok: false, code: 422, reason: "INVALID", field };
}

/** What each reason means, for people. */
const TEXTS: Readonly<Record<string, string>> = {
  BAD_JSON: 'the line is not JSON, as {"action":"PING"} is',
  BAD_UTF8: "the line is not UTF-8",
  NOT_OBJECT: "expected one JSON object in a line",
  TOO_DEEP: "arrays and objects nest too deep",
  AUTH_REQUIRED: "authentication required",
  AUTH_FAILED: "wrong token, user or password",
  FORBIDDEN: "no right to this",
  RESERVED: "keys and channels below $sys are reserved",
  KEY_NOT_FOUND: "key not found",
  UNKNOWN_ACTION: "unknown action: HELLO lists those that there are",
  LINE_TIMEOUT: "the line did not end in time",
  IDLE_TIMEOUT: "no request for too long",
  CONDITION_FAILED: "the condition does not hold",
  NOT_INTEGER: "the value is not an integer",
  OVERFLOW: "the sum is beyond 2^53-1",
  LINE_TOO_LONG: "the line is too long",
  VALUE_TOO_LARGE: "the value is too large",
  INVALID: "missing or wrong",
  BAD_KEY: "not a key",
  AMBIGUOUS_NAMESPACE: "an absolute key and a namespace",
  UNSUPPORTED_VERSION: "this version is not supported",
  TOO_MANY_CONNECTIONS: "too many connections",
  RATE_LIMITED: "too many tries, wait a moment",
  TOO_MANY_SUBSCRIPTIONS: "too many subscriptions",
  TOO_MANY_WATCHES: "too many watches",
  WATCH_NOT_FOUND: "no such watch",
  REVISION_GONE: "changes since then are not kept any more",
  SLOW_CONSUMER: "changes were not read in time",
  MESSAGE_TOO_LARGE: "the message is too large",
  INTERNAL: "internal error",
  NO_LEADER: "no leader",
  SHUTTING_DOWN: "the agent is shutting down",
  OVERLOADED: "too much to do",
  OUTCOME_UNKNOWN: "it is not known whether this was done",
  STORAGE_FULL: "the disk is full",
  SESSION_EXPIRED: "the session is over",
  SESSION_MOVED: "another connection has the session",
  RESPONSE_EVICTED: "it was answered before, and the answer is not kept any more",
  TOO_MANY_IN_FLIGHT: "too many answers are kept: raise low",
  TOO_MANY_SESSIONS: "too many sessions, or too many begin",
  NO_WORKER: "nobody who is connected has the capability",
  TOO_MANY_JOBS: "too much is to be done already",
  PAYLOAD_TOO_LARGE: "the payload is too large",
  NO_SESSIONS: "this agent is no server: ask one for a session",
};

/** A problem in words. */
export function textOfProblem({ reason, field }: Problem): string {
  const text = TEXTS[reason] ?? reason.toLowerCase().replaceAll("_", " ");
  return field === undefined ? text : `'${field}': ${text}`;
}
