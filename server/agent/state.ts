/**
 * The replicated state of an agent, as the program around it and its RPC clients see it.
 *
 * @module
 */

import type { RereadFiles } from "../kv/access/guard.ts";
import type { AgentKv } from "../kv/local/local.ts";
import type { AgentTopics } from "../topics/local/local.ts";
import { NoStateError } from "../replica/errors.ts";

export type { RereadFiles };

/**
 * Where a server is found and keeps what it knows.
 *
 * @example
 * ```ts
 * import { Agent, type StateAddresses } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const addresses: StateAddresses | undefined = agent.state?.addresses;
 * console.log(addresses?.peerAddr);
 * ```
 */
export interface StateAddresses {
  /** Where it listens for other servers, `host:port`. */
  readonly peerAddr: string;
  /** Where it lets key-value clients in, `host:port`; `undefined`: nowhere. */
  readonly kvAddr: string | undefined;
  /** Where it lets clients with sessions in, `host:port`; `undefined`: nowhere. */
  readonly sessionAddr: string | undefined;
  /** Where it lets clients of topics in, `host:port`; `undefined`: nowhere. */
  readonly topicsAddr: string | undefined;
  /** Its data directory; `undefined`: a temporary one. */
  readonly dataDir: string | undefined;
}

/**
 * The replicated state of an agent that is a server.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * console.log(agent.state?.addresses.kvAddr);
 * console.log(await agent.state?.administer("status"));
 * ```
 */
export interface AgentState {
  /** The key-value store. */
  readonly kv: AgentKv;
  /** The topics. Throws `NoStateError` when they are kept by others. */
  readonly topics: AgentTopics;
  /** Where the server is found. */
  readonly addresses: StateAddresses;
  /**
   * Tells of the state, or changes who takes part in it: `status`, `add`, `remove`, `demote`, `transfer`, `snapshot`,
   * `verify`. `node` is the name of a server's agent, or the beginning of its id; `limitMs` is how long `verify` may take, up to an
   * hour, by default a minute. Resolves with what can be written as JSON; rejects when it could not be done.
   */
  administer(action: string, node?: string, limitMs?: number): Promise<unknown>;
  /**
   * Tells of the sessions of clients, or ends one: `list` some, those after the id `session`, `show`, `end`. `session` is an id, or the
   * beginning of one. Resolves with what can be written as JSON; rejects when it could not be done.
   */
  administerSessions(action: string, session?: string): Promise<unknown>;
  /**
   * Reads the files again that say who may use the key-value port, and its certificate. Rejects with a `ConfigError` when one of
   * them cannot be used. Nothing has changed before what this resolves with is applied.
   */
  reread(): Promise<RereadFiles>;
  /** From now on a line of the log is written, or none, about each request of a key-value client. */
  logRequests(wanted: boolean): void;
  /**
   * Hands over and takes the server out of the log's members. Rejects with `LeaveRefusedError` when too few would remain, unless it is
   * forced.
   */
  leave(force?: boolean): Promise<void>;
}

/**
 * The state.
 *
 * @throws {NoStateError} when there is none
 */
export function requireState(state: AgentState | undefined): AgentState {
  if (state === undefined) throw new NoStateError();
  return state;
}
