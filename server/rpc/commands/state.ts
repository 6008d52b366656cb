/**
 * `raft`, which Serf's agents do not have: how the replicated state is, and who takes part in it.
 *
 * @module
 */

import { RaftResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import type { Run } from "../handler.ts";

const NO_STATE = "This agent keeps no state: only one that was started with -server or -dev does";

/** Fails with why it could not be done. */
export const raft: Run<"raft"> = async ({ services }, { Action, Node }) => {
  const { state } = services.backend;
  if (state === undefined) return { error: NO_STATE };
  const Result = JSON.stringify(await state.administer(Action, Node));
  return { body: encode(RaftResponse, { Result }, "rpc") };
};
