/**
 * An open RPC port of an agent.
 *
 * @module
 */

/**
 * Lets RPC clients in until it is closed, or the agent ends.
 *
 * @example
 * ```ts
 * import { Agent, type RpcListener } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const listener: RpcListener = agent.listenRpc("127.0.0.1:0");
 * console.log(listener.address.port);
 * await listener.close();
 * ```
 */
export interface RpcListener extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /** Lets nobody in any more and ends the connections there are. Safe to call again. */
  close(): Promise<void>;
}
