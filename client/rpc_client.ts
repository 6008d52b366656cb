/**
 * The client: one connection to an agent and a method per command.
 *
 * @module
 */

import { type CommandName, LogRecord, MAX_IPC_VERSION } from "../protocol/ipc.ts";
import { decode } from "../protocol/msgpack/mod.ts";
import { Connection, type RequestOf, type ResponseOf } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { dial } from "./dial.ts";
import { decodeEvent, type StreamEvent } from "./event.ts";
import { fromWire, type Member } from "./member.ts";
import type { RecordStream, StreamOptions } from "./record_stream.ts";
import { subscribe } from "./subscription.ts";

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
  /** Gives connecting up. */
  readonly signal?: AbortSignal;
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

/** Events as they happen. */
export type EventStream = RecordStream<StreamEvent>;
/** Log lines, first those that the agent has kept. */
export type LogStream = RecordStream<string>;

const DEFAULT_ADDRESS = "127.0.0.1:7373";

/** What Go's client waits for a connection (agent.md 5). */
const DEFAULT_TIMEOUT_MS = 10_000;

/** How much longer an answer may take that waits for other nodes: an address that is silent costs a join 10 s. */
const CLUSTER_PATIENCE = 6;

/**
 * A connection to an agent. Calls may overlap in any number; each gets its own answer.
 *
 * Every call rejects with `RpcError` when the agent reports an error, `TimeoutError` when it does not answer,
 * `ConnectionClosedError` when the connection drops, and the signal's reason when that is given.
 *
 * @example Members and events
 * ```ts ignore
 * import { RpcClient } from "@skein/agent/client";
 *
 * await using client = await RpcClient.connect();
 * for (const { name, status } of await client.members()) console.log(name, status);
 *
 * await client.event("deploy", "v1.2");
 * for await (const event of await client.stream("member-failed,user:deploy")) console.log(event);
 * ```
 */
export class RpcClient implements AsyncDisposable {
  /** Resolves when the connection has ended: with nothing after {@linkcode RpcClient.close}, else with the reason. */
  readonly closed: Promise<Error | undefined>;
  readonly #connection: Connection;
  readonly #timeoutMs: number;

  private constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.closed = connection.closed;
  }

  /**
   * Connects to an agent, shakes hands and gives the token when there is one.
   *
   * @throws {ConnectError} when no connection comes about
   * @throws {RpcError} when the agent refuses the token or the protocol version
   */
  static async connect(options: ConnectOptions = {}): Promise<RpcClient> {
    const { address = DEFAULT_ADDRESS, authKey = "", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const callOptions = options.signal ? { timeoutMs, signal: options.signal } : { timeoutMs };
    const connection = new Connection(await dial(address, callOptions));
    try {
      await connection.call("handshake", { Version: MAX_IPC_VERSION }, callOptions);
      if (authKey !== "") await connection.call("auth", { AuthKey: authKey }, callOptions);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return new RpcClient(connection, timeoutMs);
  }

  /** Lists all members, in no order. */
  async members(options?: CallOptions): Promise<Member[]> {
    const { Members } = await this.#call("members", null, options);
    return (Members ?? []).map(fromWire);
  }

  /** Lists the members that match all of `filter`. An agent may close the connection on a pattern it cannot read. */
  async membersFiltered(filter: MemberFilter, options?: CallOptions): Promise<Member[]> {
    const { tags = {}, status = "", name = "" } = filter;
    const request = { Tags: { ...tags }, Status: status, Name: name };
    const { Members } = await this.#call("members-filtered", request, options);
    return (Members ?? []).map(fromWire);
  }

  /**
   * Joins the cluster at `addresses`, each `[name/]host[:port]`.
   *
   * @returns how many of them were joined; when it is none of several, the promise rejects instead
   */
  async join(addresses: readonly string[], options: JoinOptions = {}): Promise<number> {
    const request = { Existing: [...addresses], Replay: options.replay ?? false };
    const patience = Math.max(CLUSTER_PATIENCE, addresses.length + 1);
    return (await this.#call("join", request, options, patience)).Num;
  }

  /** Makes the agent leave the cluster and end. */
  async leave(options?: CallOptions): Promise<void> {
    await this.#call("leave", null, options, CLUSTER_PATIENCE);
  }

  /** Turns the failed member `node` into one that left. Succeeds for unknown names too. */
  async forceLeave(node: string, options: ForceLeaveOptions = {}): Promise<void> {
    const request = { Node: node, Prune: options.prune ?? false };
    await this.#call("force-leave", request, options, CLUSTER_PATIENCE);
  }

  /** Fires a user event. Name and payload together may take some 500 bytes, as the agent is configured. */
  async event(
    name: string,
    payload: Uint8Array | string | null = null,
    options: EventOptions = {},
  ): Promise<void> {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const request = { Name: name, Payload: bytes, Coalesce: options.coalesce ?? true };
    await this.#call("event", request, options);
  }

  /** Changes the agent's tags. */
  async updateTags(changes: TagChanges, options?: CallOptions): Promise<void> {
    const request = { Tags: { ...changes.set }, DeleteTags: [...changes.delete ?? []] };
    await this.#call("tags", request, options, CLUSTER_PATIENCE);
  }

  /** The agent's figures by name, by section. */
  async stats(options?: CallOptions): Promise<Record<string, Record<string, string>>> {
    const sections = Object.entries(await this.#call("stats", null, options) ?? {});
    return Object.fromEntries(sections.map(([name, figures]) => [name, figures ?? {}]));
  }

  /**
   * Streams events from now on.
   *
   * `filter` is a list with commas, no blanks: `*`, `user`, `user:NAME`, `query`, `query:NAME`, `member-join`,
   * `member-leave`, `member-failed`, `member-update`, `member-reap`.
   */
  stream(filter = "*", options: StreamOptions = {}): Promise<EventStream> {
    const { timeoutMs = this.#timeoutMs } = options;
    const openOptions = { ...options, timeoutMs };
    return subscribe(this.#connection, "stream", { Type: filter }, decodeEvent, openOptions);
  }

  /** Streams the agent's log from `level` (trace, debug, info, warn or err) up. One per client. */
  monitor(level = "info", options: StreamOptions = {}): Promise<LogStream> {
    const { timeoutMs = this.#timeoutMs } = options;
    const line = (record: Uint8Array): string => decode(LogRecord, record).Log;
    const openOptions = { ...options, timeoutMs };
    return subscribe(this.#connection, "monitor", { LogLevel: level }, line, openOptions);
  }

  /** Closes the connection. Calls under way reject, streams end. Safe to call again. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** {@linkcode RpcClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<N extends CommandName>(
    command: N,
    body: RequestOf<N>,
    options: CallOptions = {},
    patience = 1,
  ): Promise<ResponseOf<N>> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs * patience;
    return this.#connection.call(command, body, { ...options, timeoutMs });
  }
}
