/**
 * `reload`, which Serf's agents do not have: SIGHUP for those who reach the agent over RPC only.
 *
 * @module
 */

import { ReloadResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import type { Run } from "../handler.ts";

/** Fails with what is wrong with the configuration, of which nothing is taken over then. */
export const reload: Run<"reload"> = async ({ services }) => {
  if (services.reload === undefined) {
    return { error: "This agent was started without a configuration that it could read again" };
  }
  const { applied, restart } = await services.reload();
  const response = { Applied: [...applied], Restart: [...restart] };
  return { body: encode(ReloadResponse, response, "rpc") };
};
