/**
 * The commands about members: `members`, `members-filtered`, `join`, `force-leave`, `tags` and `leave`
 * (docs/spec/agent.md 3).
 *
 * @module
 */

import { LeaveInProgressError } from "../../../cluster/serf/mod.ts";
import { JoinResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import { background } from "../../logging/background.ts";
import { DONE, type Run, textOf } from "../handler.ts";
import { MAX_JOIN_ADDRESSES } from "../limits.ts";
import { encodeMembers } from "../member_list.ts";

/** All members, in every status. */
export const members: Run<"members"> = ({ services }) => ({ body: services.memberList.all() });

/** A pattern that is none is an error with an empty list, where the Go agent closes the connection without a word. */
export const membersFiltered: Run<"members-filtered"> = async ({ services }, filter) => {
  try {
    return { body: await services.memberList.filtered(filter) };
  } catch (error) {
    return { error: `Failed to compile regex: ${textOf(error)}`, body: encodeMembers([]) };
  }
};

/** The body comes with an error, too. */
export const join: Run<"join"> = async ({ services }, { Existing, Replay }) => {
  const addresses = Existing ?? [];
  try {
    if (addresses.length > MAX_JOIN_ADDRESSES) {
      throw new Error(`Join has ${addresses.length} of ${MAX_JOIN_ADDRESSES} addresses`);
    }
    const joined = await services.backend.join(addresses, { replay: Replay });
    return { body: encode(JoinResponse, { Num: joined }, "rpc") };
  } catch (error) {
    return { error: textOf(error), body: encode(JoinResponse, { Num: 0 }, "rpc") };
  }
};

/** Succeeds for unknown names, too. */
export const forceLeave: Run<"force-leave"> = async ({ services }, { Node, Prune }) => {
  await services.backend.forceLeave(Node, { prune: Prune });
  return DONE;
};

/** Deletes first, then sets. */
export const tags: Run<"tags"> = async ({ services }, { Tags, DeleteTags }) => {
  await services.backend.updateTags({ set: Tags ?? {}, delete: DeleteTags ?? [] });
  return DONE;
};

/**
 * A second leave while one runs fails without ending the agent; any other failure ends it (docs/spec/agent.md 3 and
 * 10).
 */
export const leave: Run<"leave"> = async ({ client, services: { backend } }) => {
  backend.log.write("INFO", "agent.ipc", "Graceful leave triggered");
  const end = async (): Promise<void> => {
    await client.peer.outbox.drained(0);
    await backend.shutdown();
  };
  const after = (): void => background(end(), backend.log);
  try {
    await backend.leave();
    return { after };
  } catch (error) {
    const text = textOf(error);
    backend.log.write("ERR", "agent.ipc", `leave failed: ${text}`);
    return error instanceof LeaveInProgressError ? { error: text } : { error: text, after };
  }
};
