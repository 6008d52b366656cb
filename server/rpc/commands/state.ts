/**
 * `raft` and `session`, which Serf's agents do not have: how the replicated state is, who takes part in it, and who has a session.
 *
 * @module
 */

import { RaftResponse, SessionResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import { NoStateError } from "../../replica/errors.ts";
import type { Run } from "../handler.ts";

/** Nanoseconds of a millisecond. */
const NS_PER_MS = 1e6;

/** Fails with why it could not be done. */
export const raft: Run<"raft"> = async ({ services }, { Action, Node, Timeout }) => {
  const { state } = services.backend;
  if (state === undefined) throw new NoStateError();
  const Result = JSON.stringify(await state.administer(Action, Node, Number(Timeout) / NS_PER_MS));
  return { body: encode(RaftResponse, { Result }, "rpc") };
};

/** Fails with why it could not be done. */
export const session: Run<"session"> = async ({ services }, { Action, Session }) => {
  const { state } = services.backend;
  if (state === undefined) throw new NoStateError();
  const Result = JSON.stringify(await state.administerSessions(Action, Session));
  return { body: encode(SessionResponse, { Result }, "rpc") };
};
