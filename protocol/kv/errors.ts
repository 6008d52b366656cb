/**
 * What programs get instead of an answer, over the wire and within an agent.
 *
 * @module
 */

import { type Problem, textOfProblem } from "./problem.ts";

/**
 * A request was refused, or failed. Nothing was changed, unless it is an {@linkcode OutcomeUnknownError}.
 *
 * @example
 * ```ts
 * import { Agent, KvError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await assert.rejects(agent.kv.set("a^^b", 1), (error) => error instanceof KvError && error.code === 422);
 * ```
 */
export class KvError extends Error {
  /** "KvError", or the name of the kind. */
  override readonly name: string = "KvError";
  /** Number of the kind, as in HTTP. */
  readonly code: number;
  /** Name of the kind, such as `VALUE_TOO_LARGE`. */
  readonly reason: string;
  /** The part of the request that is wrong. */
  readonly field: string | undefined;

  /** `problem` is what went wrong, `options.cause` what it came of. */
  constructor(problem: Problem, options?: ErrorOptions) {
    super(capital(textOfProblem(problem)), options);
    this.code = problem.code;
    this.reason = problem.reason;
    this.field = problem.field;
  }
}

/**
 * A condition did not hold: somebody else was faster.
 *
 * @example
 * ```ts
 * import { Agent, ConditionFailedError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await agent.kv.set("leader", "a", { nx: true });
 * await assert.rejects(agent.kv.set("leader", "b", { nx: true }), ConditionFailedError);
 * ```
 */
export class ConditionFailedError extends KvError {
  /** "ConditionFailedError". */
  override readonly name = "ConditionFailedError";
  /** Revision of the last change of the key; 0 when it has no value, or one of the same transaction, which was undone. */
  readonly rev: number;

  /** `problem` is what went wrong. */
  constructor(problem: Problem) {
    super(problem);
    this.rev = problem.rev ?? 0;
  }
}

/**
 * Nobody leads, or nobody that can be reached. Nothing was done; it can be tried again.
 *
 * @example
 * ```ts
 * import { NoLeaderError } from "@skein/agent";
 *
 * async function retried<T>(request: () => Promise<T>): Promise<T> {
 *   try {
 *     return await request();
 *   } catch (error) {
 *     // Nothing was done, so that it can be done now.
 *     if (error instanceof NoLeaderError) return await request();
 *     throw error;
 *   }
 * }
 * console.log(await retried(() => Promise.resolve(1)));
 * ```
 */
export class NoLeaderError extends KvError {
  /** "NoLeaderError". */
  override readonly name = "NoLeaderError";
}

/**
 * It may have been done, and may still be done later.
 *
 * @example
 * ```ts
 * import { OutcomeUnknownError } from "@skein/agent";
 *
 * // Whether it has to be looked up what became of a change.
 * const isOpen = (error: unknown): boolean => error instanceof OutcomeUnknownError;
 * console.log(isOpen(new Error("Something else")));
 * ```
 */
export class OutcomeUnknownError extends KvError {
  /** "OutcomeUnknownError". */
  override readonly name = "OutcomeUnknownError";
}

/**
 * Changes since a revision are not kept any more, so that a watch cannot go on without a gap. Look at what is there now, with
 * `initial`, and go on from that.
 *
 * @example
 * ```ts
 * import { RevisionGoneError } from "@skein/agent";
 *
 * const isGone = (error: unknown): boolean => error instanceof RevisionGoneError;
 * console.log(isGone(new Error("Something else")));
 * ```
 */
export class RevisionGoneError extends KvError {
  /** "RevisionGoneError". */
  override readonly name = "RevisionGoneError";
}

/** The error for a problem. */
export function errorOf(problem: Problem): KvError {
  switch (problem.reason) {
    case "CONDITION_FAILED":
      return new ConditionFailedError(problem);
    case "NO_LEADER":
      return new NoLeaderError(problem);
    case "REVISION_GONE":
      return new RevisionGoneError(problem);
    case "OUTCOME_UNKNOWN":
      return new OutcomeUnknownError(problem);
    default:
      return new KvError(problem);
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
