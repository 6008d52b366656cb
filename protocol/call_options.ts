/**
 * How long a call may take.
 *
 * @module
 */

/**
 * Options of every call.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type CallOptions, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * const options: CallOptions = { timeoutMs: 1_000, signal: AbortSignal.timeout(2_000) };
 * await client.members(options);
 * ```
 */
export interface CallOptions {
  /** Gives the call up; the promise then rejects with the signal's reason. The agent may still carry the command out. */
  readonly signal?: AbortSignal;
  /** Milliseconds to wait for the answer, `Infinity` for no limit. Default: the client's `timeoutMs`, for some commands more. */
  readonly timeoutMs?: number;
}
