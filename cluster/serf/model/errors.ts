/**
 * The errors of the Serf layer. Their texts are Serf's (docs/spec/serf.md 18.5): RPC clients get to see them.
 *
 * @module
 */

/**
 * A value of the configuration is out of its range.
 *
 * @example
 * ```ts
 * import { SerfConfigError } from "@skein/agent/cluster";
 * import { Agent } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(
 *   Agent.start({ bind: "127.0.0.1:0", protocol: 9 }),
 *   ({ cause }) => cause instanceof SerfConfigError,
 * );
 * ```
 */
export class SerfConfigError extends Error {
  /** Names the class in logs. */
  override readonly name = "SerfConfigError";
}

/**
 * The operation is not possible in the agent's present state, e.g. a join after a leave.
 *
 * @example
 * ```ts
 * import { Agent, SerfStateError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * const agent = await Agent.start({ bind: "127.0.0.1:0" });
 * await agent.shutdown();
 * await assert.rejects(agent.join(["127.0.0.1:1"]), SerfStateError);
 * ```
 */
export class SerfStateError extends Error {
  /** Names the class in logs. */
  override readonly name: string = "SerfStateError";
}

/**
 * A leave was asked for while another one is under way.
 *
 * @example
 * ```ts
 * import { Agent, LeaveInProgressError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const leaving = agent.leave();
 * await assert.rejects(agent.leave(), LeaveInProgressError);
 * await leaving;
 * ```
 */
export class LeaveInProgressError extends SerfStateError {
  /** Names the class in logs. */
  override readonly name = "LeaveInProgressError";

  /** With the text that RPC clients know, and a cause if there is one. */
  constructor(options?: ErrorOptions) {
    super("Leave already in progress", options);
  }
}

/**
 * The tags do not fit into the 512 bytes that a node may tell about itself.
 *
 * @example
 * ```ts
 * import { Agent, TagsTooLargeError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * await assert.rejects(agent.updateTags({ set: { role: "x".repeat(600) } }), TagsTooLargeError);
 * ```
 */
export class TagsTooLargeError extends Error {
  /** Names the class in logs. */
  override readonly name = "TagsTooLargeError";
}

/**
 * A user event is larger than the configured limit or than any agent takes.
 *
 * @example
 * ```ts
 * import { Agent, EventTooLargeError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * assert.throws(() => agent.event("deploy", "x".repeat(600)), EventTooLargeError);
 * ```
 */
export class EventTooLargeError extends Error {
  /** Names the class in logs. */
  override readonly name = "EventTooLargeError";
}

/**
 * So many user events wait to be gossiped that one more would be lost. It was not sent, and not told here; try it again.
 *
 * @example
 * ```ts
 * import { Agent, EventQueueFullError } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * try {
 *   agent.event("deploy", "v1.2.3");
 * } catch (error) {
 *   if (!(error instanceof EventQueueFullError)) throw error;
 *   console.log("Too many events at once");
 * }
 * ```
 */
export class EventQueueFullError extends Error {
  /** Names the class in logs. */
  override readonly name = "EventQueueFullError";

  /** `waiting` events wait. */
  constructor(waiting: number) {
    super(`Event queue is full: ${waiting} events wait to be gossiped`);
  }
}

/**
 * A query cannot be sent: it is too large, too many are running or wait to be gossiped, or the protocol version is too old.
 *
 * @example
 * ```ts
 * import { Agent, QueryError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * assert.throws(() => agent.query("load", "x".repeat(2_000)), QueryError);
 * ```
 */
export class QueryError extends Error {
  /** Names the class in logs. */
  override readonly name = "QueryError";
}

/**
 * An answer to a query could not be sent; the text says why.
 *
 * @example
 * ```ts
 * import { Agent, RespondError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * using queries = agent.queries("load");
 * agent.query("load");
 * for await (const query of queries) {
 *   query.respond(null);
 *   assert.throws(() => query.respond(null), RespondError);
 *   break;
 * }
 * ```
 */
export class RespondError extends Error {
  /** Names the class in logs. */
  override readonly name = "RespondError";
  /** What keeps the answer from being sent. */
  readonly reason: "too-large" | "answered" | "late" | "unreachable";

  /** `options.reason` is "unreachable" by default. */
  constructor(message: string, options: ErrorOptions & { reason?: RespondError["reason"] } = {}) {
    super(message, options);
    this.reason = options.reason ?? "unreachable";
  }
}

/**
 * Network coordinates are switched off.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { CoordinatesDisabledError } from "@skein/agent/cluster";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", coordinates: false });
 * assert.throws(() => agent.serf.coordinate(), CoordinatesDisabledError);
 * ```
 */
export class CoordinatesDisabledError extends Error {
  /** Names the class in logs. */
  override readonly name = "CoordinatesDisabledError";
}

/**
 * The news of a forced leave was not sent within the broadcast timeout.
 *
 * @example
 * ```ts
 * import { Agent, ForceLeaveTimeoutError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using alpha = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0" });
 * await using beta = await Agent.start({
 *   nodeName: "beta",
 *   bind: "127.0.0.1:0",
 *   startJoin: [`127.0.0.1:${alpha.address.port}`],
 *   broadcastTimeoutMs: 1,
 * });
 * await assert.rejects(beta.forceLeave("gamma"), ForceLeaveTimeoutError);
 * ```
 */
export class ForceLeaveTimeoutError extends Error {
  /** Names the class in logs. */
  override readonly name = "ForceLeaveTimeoutError";
}
