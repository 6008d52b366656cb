/**
 * The connection to an agent that all commands but `agent`, `keygen` and `version` share.
 *
 * @module
 */

import { type ConnectOptions, RpcClient } from "../../client/mod.ts";
import { explain } from "./command.ts";
import { variable } from "./environment.ts";
import { type FlagValues, stringFlag } from "./flags.ts";

const DEFAULT_ADDRESS = "127.0.0.1:7373";

/**
 * For a call that takes the agent as long as other nodes need. It answers in the end, or the connection drops; a command
 * that gave up before would tell a failure of what succeeds.
 */
export const PATIENT = { timeoutMs: Infinity } as const;

/** The flags of every command that talks to an agent. */
export const connectionFlags = {
  "rpc-addr": stringFlag(
    "ADDRESS",
    `RPC address of the agent. Default: the variable SERF_RPC_ADDR, or ${DEFAULT_ADDRESS}.`,
  ),
  "rpc-auth": stringFlag(
    "TOKEN",
    "RPC auth token of the agent. Default: the variable SERF_RPC_AUTH, or none.",
  ),
} as const;

/**
 * Connects to the agent that the flags or the environment name; a flag beats its variable (docs/spec/agent.md 7.1).
 *
 * @param options What gives the connecting up. Default: only the time that the client allows.
 * @throws {CommandError} When there is no agent, or it refuses the token.
 */
export function connect(
  values: FlagValues<typeof connectionFlags>,
  options: Pick<ConnectOptions, "signal"> = {},
): Promise<RpcClient> {
  const address = values["rpc-addr"] ?? (variable("SERF_RPC_ADDR") || DEFAULT_ADDRESS);
  const authKey = values["rpc-auth"] ?? variable("SERF_RPC_AUTH") ?? "";
  return explain(
    "Error connecting to Serf agent",
    RpcClient.connect({ ...options, address, authKey }),
  );
}
