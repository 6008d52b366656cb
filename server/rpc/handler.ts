/**
 * What the commands of the RPC server are made of.
 *
 * @module
 */

import type { CommandName, Commands } from "../../protocol/ipc/mod.ts";
import type { Codec } from "../../protocol/msgpack/mod.ts";
import type { Reload, RpcBackend } from "./backend.ts";
import type { MemberList } from "./member_list.ts";
import type { Body } from "./output.ts";
import type { Session } from "./session.ts";

/** What commands work with, besides the connection's own state. */
export interface Services {
  /** The agent. */
  readonly backend: RpcBackend;
  /** The token that clients must show; "" for none. */
  readonly rpcAuth: string;
  /** The encoded member list. */
  readonly memberList: MemberList;
  /** Reads the configuration of the agent again; missing when it has none to read. */
  readonly reload: Reload | undefined;
  /** The figures of the RPC server for `stats`. */
  rpcStats(): Record<string, string>;
}

/** A request that is being answered. */
export interface Call {
  /** The connection. */
  readonly session: Session;
  /** The client's number for the request. */
  readonly seq: number | bigint;
  /** The agent and what is shared by all connections. */
  readonly services: Services;
}

/** What a command answers. */
export interface Answer {
  /** What went wrong; missing on success. */
  readonly error?: string;
  /** The body. */
  readonly body?: Body;
  /** Runs when the response is on its way, so that no record can come before it. */
  readonly after?: () => void;
}

/** The body of a command's request, `null` when it has none. */
export type BodyOf<N extends CommandName> = Commands[N]["request"] extends Codec<infer T> ? T
  : null;

/** Does a command. What it throws becomes the error of a response without a body. */
export type Run<N extends CommandName> = (
  call: Call,
  body: BodyOf<N>,
) => Answer | Promise<Answer>;

/** Success without a body. */
export const DONE: Answer = {};

/** The text of what was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
