/**
 * The dispatcher: one table from command names to what they do (docs/spec/agent.md 3).
 *
 * @module
 */

import { type CommandName, COMMANDS } from "../../protocol/ipc/mod.ts";
import type { Codec } from "../../protocol/msgpack/mod.ts";
import { auth, handshake } from "./commands/access.ts";
import { reload } from "./commands/configuration.ts";
import { getCoordinate, stats } from "./commands/figures.ts";
import { installKey, listKeys, removeKey, useKey } from "./commands/keys.ts";
import { forceLeave, join, leave, members, membersFiltered, tags } from "./commands/membership.ts";
import { event, query, respond } from "./commands/messages.ts";
import { monitor, stop, stream } from "./commands/subscriptions.ts";
import { raft, session } from "./commands/state.ts";
import type { Answer, Call, Run } from "./handler.ts";

const TABLE: { readonly [N in CommandName]: Run<N> } = {
  handshake,
  auth,
  event,
  "force-leave": forceLeave,
  join,
  members,
  "members-filtered": membersFiltered,
  stream,
  monitor,
  stop,
  leave,
  tags,
  query,
  respond,
  "install-key": installKey,
  "use-key": useKey,
  "remove-key": removeKey,
  "list-keys": listKeys,
  stats,
  "get-coordinate": getCoordinate,
  reload,
  raft,
  session,
};

/** The commands that may come before `auth`. */
const OPEN: readonly CommandName[] = ["handshake", "auth"];

/** One row of the table. */
export interface Handler {
  /** How the body of the request is read, `null` when there is none. */
  readonly request: Codec<unknown> | null;
  /** Whether it may come before `auth`. */
  readonly open: boolean;
  /** Does it. What it throws becomes the error of the response. */
  readonly run: (call: Call, body: unknown) => Answer | Promise<Answer>;
}

const HANDLERS = new Map<string, Handler>(
  Object.entries(TABLE).map(([name, run]) => [name, handler(name, run as Handler["run"])]),
);

/** The handler of a command, `undefined` when there is none of this name. */
export function handlerOf(name: string): Handler | undefined {
  return HANDLERS.get(name);
}

function handler(name: string, run: Handler["run"]): Handler {
  const command = name as CommandName;
  const request: Codec<unknown> | null = COMMANDS[command].request;
  return { request, open: OPEN.includes(command), run };
}
