/**
 * What a client throws when the agent is not there, or does not answer.
 *
 * @module
 */

/**
 * No connection to the agent came about. The message is the one Go's client gives (docs/spec/agent.md 7.1).
 *
 * @example
 * ```ts
 * import { ConnectError, RpcClient } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(RpcClient.connect({ address: "127.0.0.1:1" }), ConnectError);
 * ```
 */
export class ConnectError extends Error {
  /** Always "ConnectError". */
  override readonly name = "ConnectError";
}

/**
 * The connection ended before the answer came, or was closed already; `cause` says why.
 * The message is always "client closed", as in Go's client (docs/spec/agent.md 5).
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { ConnectionClosedError, RpcClient } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${address.port}` });
 * await agent.shutdown();
 * assert.ok(await client.closed instanceof ConnectionClosedError);
 * ```
 */
export class ConnectionClosedError extends Error {
  /** Always "ConnectionClosedError". */
  override readonly name = "ConnectionClosedError";

  /** `options.cause` tells what ended the connection. */
  constructor(options?: ErrorOptions) {
    super("client closed", options);
  }
}

/**
 * There is no connection to the agent at the moment; the client tries to get one.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { DisconnectedError, RpcClient } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * const lost = Promise.withResolvers<void>();
 * await using client = await RpcClient.connect({
 *   address: `127.0.0.1:${address.port}`,
 *   reconnect: { whileDown: "fail", onStatus: () => lost.resolve() },
 * });
 * await agent.shutdown();
 * await lost.promise;
 * await assert.rejects(client.members(), DisconnectedError);
 * ```
 */
export class DisconnectedError extends Error {
  /** Always "DisconnectedError". */
  override readonly name = "DisconnectedError";

  /** An error with its text. */
  constructor(options?: ErrorOptions) {
    super("Not connected to the agent, trying again", options);
  }
}

/**
 * The agent did not answer in time. It may still carry the command out.
 *
 * @example
 * ```ts
 * import { RpcClient, TimeoutError } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const address = `127.0.0.1:${silent.addr.port}`;
 * await assert.rejects(RpcClient.connect({ address, timeoutMs: 50 }), TimeoutError);
 * ```
 */
export class TimeoutError extends Error {
  /** Always "TimeoutError". */
  override readonly name = "TimeoutError";
}
