/**
 * From an address to a connection that is ready for commands.
 *
 * @module
 */

import { MAX_IPC_VERSION } from "../../protocol/ipc/mod.ts";
import { dial } from "../net/dial.ts";
import { Connection } from "./connection.ts";
import type { ConnectOptions } from "./options.ts";

const DEFAULT_ADDRESS = "127.0.0.1:7373";

/** What Go's client waits for a connection (docs/spec/agent.md 5). */
export const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Connects, shakes hands and gives the token when there is one.
 *
 * @throws {ConnectError} when no connection comes about
 * @throws {RpcError} when the agent refuses the token or the protocol version
 */
export async function openConnection(
  options: ConnectOptions,
  signal?: AbortSignal,
): Promise<Connection> {
  const { address = DEFAULT_ADDRESS, authKey = "", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const callOptions = signal ? { timeoutMs, signal } : { timeoutMs };
  const connection = new Connection(await dial(address, callOptions));
  try {
    await connection.call("handshake", { Version: MAX_IPC_VERSION }, callOptions);
    if (authKey !== "") await connection.call("auth", { AuthKey: authKey }, callOptions);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
