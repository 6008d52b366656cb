/**
 * What programs and clients hear of the replicated state as a whole.
 *
 * @module
 */

/**
 * Leaving would leave too few servers behind. The message says why.
 *
 * @example
 * ```ts
 * import { Agent, LeaveRefusedError } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await agent.leave().catch((error) => {
 *   if (!(error instanceof LeaveRefusedError)) throw error;
 *   console.log(error.message);
 * });
 * ```
 */
export class LeaveRefusedError extends Error {
  /** "LeaveRefusedError". */
  override readonly name = "LeaveRefusedError";
}

/**
 * The agent keeps no replicated state.
 *
 * @example
 * ```ts
 * import { Agent, NoStateError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * assert.throws(() => agent.kv, NoStateError);
 * ```
 */
export class NoStateError extends Error {
  /** "NoStateError". */
  override readonly name = "NoStateError";

  /** An error with the text that says how to keep state. */
  constructor() {
    super("This agent keeps no state: only one that was started with -server or -dev does");
  }
}
