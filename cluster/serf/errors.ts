/**
 * The errors of the Serf layer. Their texts are Serf's (serf.md 18): RPC clients get to see them.
 *
 * @module
 */

/** A value of the configuration is out of its range. */
export class SerfConfigError extends Error {
  /** Names the class in logs. */
  override readonly name = "SerfConfigError";
}

/** The operation is not possible in the agent's present state, e.g. a join after a leave. */
export class SerfStateError extends Error {
  /** Names the class in logs. */
  override readonly name = "SerfStateError";
}

/** The tags do not fit into the 512 bytes that a node may tell about itself. */
export class TagsTooLargeError extends Error {
  /** Names the class in logs. */
  override readonly name = "TagsTooLargeError";
}

/** A user event is larger than the configured limit or than any agent takes. */
export class EventTooLargeError extends Error {
  /** Names the class in logs. */
  override readonly name = "EventTooLargeError";
}

/** A query cannot be sent: it is too large, too many are running, or the protocol version is too old. */
export class QueryError extends Error {
  /** Names the class in logs. */
  override readonly name = "QueryError";
}

/** An answer to a query could not be sent; the text says why. */
export class RespondError extends Error {
  /** Names the class in logs. */
  override readonly name = "RespondError";
}

/** Network coordinates are switched off. */
export class CoordinatesDisabledError extends Error {
  /** Names the class in logs. */
  override readonly name = "CoordinatesDisabledError";
}

/** The news of a forced leave was not sent within the broadcast timeout. */
export class ForceLeaveTimeoutError extends Error {
  /** Names the class in logs. */
  override readonly name = "ForceLeaveTimeoutError";
}
