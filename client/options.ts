/**
 * What a program gives to a client and its calls.
 *
 * @module
 */

import type { CallOptions } from "./deadline.ts";
import type { ReconnectOptions } from "./link.ts";

/** Where and how to connect. */
export interface ConnectOptions {
  /** The agent's RPC address, `host:port`. Default "127.0.0.1:7373". */
  readonly address?: string;
  /** The agent's `rpc_auth` token. Default: none, and no `auth` command is sent. */
  readonly authKey?: string;
  /**
   * Milliseconds to wait for the connection, and for each answer. Default 10,000, as Go's client.
   * `join`, `leave`, `forceLeave` and `updateTags`, which wait for other nodes, get six times as long (agent.md 3).
   */
  readonly timeoutMs?: number;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
  /**
   * Whether and how to connect again after the connection has dropped. Calls under way reject all the same, since the agent
   * may have carried them out; event and log streams are opened again and go on. Default false.
   */
  readonly reconnect?: boolean | ReconnectOptions;
}

/** Which members to list: patterns (RE2) that must match from the first to the last character. */
export interface MemberFilter {
  /** Patterns by tag; a tag that a member lacks counts as empty. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Pattern of the status. Default: any. */
  readonly status?: string;
  /** Pattern of the name. Default: any. */
  readonly name?: string;
}

/** Options of {@linkcode RpcClient.join}. */
export interface JoinOptions extends CallOptions {
  /** Whether user events from before the join are delivered. Default false. */
  readonly replay?: boolean;
}

/** Options of {@linkcode RpcClient.forceLeave}. */
export interface ForceLeaveOptions extends CallOptions {
  /** Whether to forget the member altogether. Default false. */
  readonly prune?: boolean;
}

/** Options of {@linkcode RpcClient.event}. */
export interface EventOptions extends CallOptions {
  /** Whether agents may fold events of the same name into the last one. Default true. */
  readonly coalesce?: boolean;
}

/** Changes of tags. What is in both is set. */
export interface TagChanges {
  /** Tags to set. */
  readonly set?: Readonly<Record<string, string>>;
  /** Tags to delete; unknown ones are ignored. */
  readonly delete?: readonly string[];
}
