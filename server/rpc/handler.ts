/**
 * What the commands of the RPC server are made of.
 *
 * @module
 */

import type { CommandName, Commands } from "../../protocol/ipc/mod.ts";
import type { Codec } from "../../protocol/msgpack/mod.ts";
import type { LogLevel } from "../logging/log.ts";
import type { Reload, RpcBackend } from "./backend.ts";
import type { ClientState } from "./client_state.ts";
import type { MemberList } from "./member_list.ts";
import type { Body } from "./response.ts";

/** What commands work with, besides the connection's own state. */
export interface Services {
  /** The agent. */
  readonly backend: RpcBackend;
  /** The token that clients must show, in UTF-8; empty for none. */
  readonly token: Uint8Array;
  /** How long a wrong token waits for its answer, in milliseconds. */
  readonly authDelayMs: number;
  /** The encoded member list. */
  readonly memberList: MemberList;
  /** Writes a line about bad input, unless there was one about this client's address within the last second. */
  complain(client: ClientState, level: LogLevel, text: string): void;
  /** Reads the configuration of the agent again; missing when it has none to read. */
  readonly reload: Reload | undefined;
  /** The figures of the RPC server for `stats`. */
  rpcStats(): Record<string, string>;
}

/** A request that is being answered. */
export interface Call {
  /** Who asks. */
  readonly client: ClientState;
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
  /** Whether the connection ends with it. Default: it goes on. */
  readonly last?: boolean;
  /** Runs when the response is on its way, so that no record can come before it. If it throws, the connection ends. */
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
