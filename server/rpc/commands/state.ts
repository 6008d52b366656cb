/**
 * `raft`, which Serf's agents do not have: how the replicated state is, and who takes part in it.
 *
 * @module
 */

import { RaftResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import { NoStateError } from "../../replica/errors.ts";
import type { Run } from "../handler.ts";

/** Fails with why it could not be done. */
export const raft: Run<"raft"> = async ({ services }, { Action, Node }) => {
  const { state } = services.backend;
  if (state === undefined) throw new NoStateError();
  const Result = JSON.stringify(await state.administer(Action, Node));
  return { body: encode(RaftResponse, { Result }, "rpc") };
};
