/**
 * What an agent answers instead of what it was asked for.
 *
 * @module
 */

import { codeOf, type RpcErrorCode } from "./error_code.ts";

/**
 * The agent refused or failed a command.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { RpcClient, RpcError } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${address.port}` });
 * try {
 *   await client.event("deploy", "x".repeat(600));
 * } catch (error) {
 *   if (!(error instanceof RpcError) || error.code !== "too-large") throw error;
 *   console.error(error.message);
 * }
 * ```
 */
export class RpcError extends Error {
  /** Always "RpcError". */
  override readonly name: string = "RpcError";
  /** Name of the command, as in the protocol. */
  readonly command: string;
  /** What the agent complains of. */
  readonly code: RpcErrorCode;

  /** `message` is the agent's text as it came. */
  constructor(command: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.command = command;
    this.code = codeOf(message);
  }
}
