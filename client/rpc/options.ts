/**
 * What a program gives to a client and its calls.
 *
 * @module
 */

import { type OptionKinds, requireArgument, requireOptions } from "../../protocol/arguments.ts";
import type { CommandName } from "../../protocol/ipc/mod.ts";
import type { CallOptions } from "../net/deadline.ts";
import { checkReconnectOptions, type ReconnectOptions } from "../net/reconnect.ts";

/**
 * Where and how to connect.
 *
 * @example
 * ```ts
 * import type { ConnectOptions } from "@skein/agent/client";
 *
 * const options: ConnectOptions = { address: "10.0.0.5:7373", authKey: "secret", timeoutMs: 2_000 };
 * console.log(options.address);
 * ```
 */
export interface ConnectOptions {
  /** The agent's RPC address, `host:port`. Default "127.0.0.1:7373". */
  readonly address?: string;
  /** The agent's `rpc_auth` token. Default: none, and no `auth` command is sent. */
  readonly authKey?: string;
  /**
   * Milliseconds to wait for the connection, and for each answer. Default 10,000, as Go's client.
   * `join`, `leave`, `forceLeave` and `updateTags`, which wait for other nodes, get six times as long (docs/spec/agent.md 3).
   */
  readonly timeoutMs?: number;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
  /**
   * Whether and how to connect again after the connection has dropped. Calls under way reject all the same, since the
   * agent may have carried them out; event and log streams are opened again and go on. Default false.
   */
  readonly reconnect?: boolean | ReconnectOptions;
}

/**
 * Which members to list: patterns (RE2) that must match from the first to the last character; `a|b` means "starts with a
 * or ends with b", `(a|b)` one of them.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type MemberFilter, RpcClient } from "@skein/agent/client";
 *
 * const filter: MemberFilter = { tags: { role: "web" }, status: "alive" };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * console.log((await client.members(filter)).length); // 0
 * ```
 */
export interface MemberFilter extends CallOptions {
  /** Patterns by tag; a tag that a member lacks counts as empty. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Pattern of the status. Default: any. */
  readonly status?: string;
  /** Pattern of the name. Default: any. */
  readonly name?: string;
}

/**
 * Options of {@linkcode RpcClient.join}.
 *
 * @example
 * ```ts
 * import type { JoinOptions } from "@skein/agent/client";
 *
 * const options: JoinOptions = { replay: true, timeoutMs: 30_000 };
 * console.log(options.replay);
 * ```
 */
export interface JoinOptions extends CallOptions {
  /** Whether user events from before the join are delivered. Default false. */
  readonly replay?: boolean;
}

/**
 * Options of {@linkcode RpcClient.forceLeave}.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type ForceLeaveOptions, RpcClient } from "@skein/agent/client";
 *
 * const options: ForceLeaveOptions = { prune: true };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * await client.forceLeave("gone", options);
 * ```
 */
export interface ForceLeaveOptions extends CallOptions {
  /** Whether to forget the member altogether. Default false. */
  readonly prune?: boolean;
}

/**
 * Options of {@linkcode RpcClient.event}.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type EventOptions, RpcClient } from "@skein/agent/client";
 *
 * const options: EventOptions = { coalesce: false };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * await client.event("deploy", "v1.2", options);
 * ```
 */
export interface EventOptions extends CallOptions {
  /** Whether agents may fold events of the same name into the last one. Default true. */
  readonly coalesce?: boolean;
}

/**
 * Changes of tags. What is in both is set.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { RpcClient, type TagChanges } from "@skein/agent/client";
 *
 * const changes: TagChanges = { set: { role: "web" }, delete: ["dc"] };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * await client.updateTags(changes);
 * ```
 */
export interface TagChanges {
  /** Tags to set. */
  readonly set?: Readonly<Record<string, string>>;
  /** Tags to delete; unknown ones are ignored. */
  readonly delete?: readonly string[];
}

/**
 * What {@linkcode RpcClient.reload} did: names of options as configuration files have them.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type ReloadReport, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * // `skein agent` reads its files here.
 * const reload = () => Promise.resolve({ applied: ["log_level"], restart: [] });
 * const { port } = agent.listenRpc("127.0.0.1:0", { reload }).address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * const { applied }: ReloadReport = await client.reload();
 * console.log(applied);
 * ```
 */
export interface ReloadReport {
  /** The options whose new values are in effect. */
  readonly applied: readonly string[];
  /** The options whose new values need a restart. */
  readonly restart: readonly string[];
}

/** The kinds of {@linkcode CallOptions}. */
const CALL: OptionKinds = { signal: "signal", timeoutMs: "number" };
const STREAM: OptionKinds = { ...CALL, bufferSize: "number" };
const MEMBERS: OptionKinds = { ...CALL, tags: "map", status: "text", name: "text" };

/** The kinds of the options of commands that have more than {@linkcode CallOptions}. */
const OF_COMMANDS: Readonly<Partial<Record<CommandName, OptionKinds>>> = {
  members: MEMBERS,
  join: { ...CALL, replay: "switch" },
  "force-leave": { ...CALL, prune: "switch" },
  event: { ...CALL, coalesce: "switch" },
  raft: { ...CALL, limitMs: "number" },
  stream: STREAM,
  monitor: STREAM,
  query: {
    ...STREAM,
    nodes: "list",
    tags: "map",
    requestAck: "switch",
    relayFactor: "number",
    acceptTimeoutMs: "number",
  },
};

/**
 * Checks the options of a call, for programs whose compiler does not.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkOptions(command: CommandName, options: CallOptions | undefined): void {
  if (options !== undefined) requireOptions(command, options, OF_COMMANDS[command] ?? CALL);
}

/**
 * Checks the options of a client.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkConnectOptions(options: ConnectOptions): void {
  requireArgument("options of connect", options, "object");
  const { reconnect = false } = options;
  requireOptions("connect", options, {
    ...CALL,
    address: "text",
    authKey: "secret",
    reconnect: "any",
  });
  checkReconnectOptions(reconnect);
}
