/**
 * What can be wrong with a server of the replicated state as a whole.
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
