/**
 * An open RPC port of an agent.
 *
 * @module
 */

/** Lets RPC clients in until it is closed, or the agent ends. */
export interface RpcListener extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /** Lets nobody in any more and ends the connections there are. Safe to call again. */
  close(): Promise<void>;
}
