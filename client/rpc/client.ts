/**
 * The client: a connection to an agent and a method per command.
 *
 * @module
 */

import { requireArgument, requireOptions } from "../../protocol/arguments.ts";
import { type CommandName, LogRecord } from "../../protocol/ipc/mod.ts";
import { decode } from "../../protocol/msgpack/mod.ts";
import { bytesOf } from "../../protocol/payload.ts";
import type { CallOptions } from "../net/deadline.ts";
import { Link } from "../net/reconnect.ts";
import {
  answerTimeout,
  type Connection,
  type Failure,
  type RequestOf,
  type ResponseOf,
} from "./connection.ts";
import { type Coordinate, coordinateOf } from "./coordinate.ts";
import { RpcError } from "./errors.ts";
import { decodeEvent } from "./event.ts";
import { keyFailure, type KeyReport, reportOf } from "./keys.ts";
import { fromWire, type Member } from "./member.ts";
import { DEFAULT_TIMEOUT_MS, openConnection } from "./open.ts";
import {
  checkConnectOptions,
  checkOptions,
  type ConnectOptions,
  type EventOptions,
  type ForceLeaveOptions,
  type JoinOptions,
  type MemberFilter,
  type ReloadReport,
  type TagChanges,
} from "./options.ts";
import type { Payload } from "./payload.ts";
import {
  decodeQueryRecord,
  nanoseconds,
  type QueryOptions,
  queryRequest,
  type QueryStream,
} from "./query.ts";
import type { RecordStream, StreamOptions } from "../net/record_stream.ts";
import type { EventStream, LogStream } from "./streams.ts";
import { type StreamCommand, type StreamRequest, subscribe } from "./subscription.ts";

type KeyChange = "install-key" | "use-key" | "remove-key";

/** How much longer an answer may take that waits for other nodes: an address that is silent costs a join 10 s. */
const CLUSTER_PATIENCE = 6;

/**
 * A connection to an agent. Calls may overlap in any number; each gets its own answer.
 *
 * Every call rejects with `RpcError` when the agent reports an error, `TimeoutError` when it does not answer,
 * `ConnectionClosedError` when the connection drops, and the signal's reason when that is given.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${address.port}` });
 * for (const { name, status } of await client.members()) console.log(name, status);
 *
 * await using events = await client.stream("member-failed,user:deploy");
 * await client.event("deploy", "v1.2");
 * for await (const event of events) {
 *   console.log(event);
 *   break;
 * }
 *
 * const query = await client.query("load", null, { requestAck: true, timeoutMs: 100 });
 * for await (const record of query) console.log(record.type, record.from);
 * ```
 */
export class RpcClient implements AsyncDisposable {
  /**
   * Resolves when the connection has ended and none is to follow: with nothing after {@linkcode RpcClient.close}, else with
   * the reason.
   */
  readonly closed: Promise<Error | undefined>;
  readonly #link: Link<Connection>;
  readonly #timeoutMs: number;

  private constructor(link: Link<Connection>, timeoutMs: number) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
    this.closed = link.closed;
  }

  /**
   * Connects to an agent, shakes hands and gives the token when there is one.
   *
   * @throws {ConnectError} when no connection comes about
   * @throws {RpcError} when the agent refuses the token or the protocol version
   */
  static async connect(options: ConnectOptions = {}): Promise<RpcClient> {
    checkConnectOptions(options);
    const { timeoutMs = DEFAULT_TIMEOUT_MS, reconnect = false } = options;
    const opener = {
      open: (signal?: AbortSignal): Promise<Connection> => openConnection(options, signal),
      // An agent that refuses the token or the version refuses them again.
      isFinal: (error: unknown): boolean => error instanceof RpcError,
    };
    const again = reconnect === true ? {} : reconnect || undefined;
    return new RpcClient(new Link(await opener.open(options.signal), opener, again), timeoutMs);
  }

  /** Whether there is a connection now. */
  get connected(): boolean {
    return this.#link.current?.isClosed === false;
  }

  /**
   * Lists the members that match all of `filter`, by default all, in no order. A Go agent closes the connection on a
   * pattern it cannot read.
   */
  async members(filter: MemberFilter = {}): Promise<Member[]> {
    checkOptions("members", filter);
    const { tags, status, name, ...options } = filter;
    const isFiltered = tags !== undefined || status !== undefined || name !== undefined;
    const request = { Tags: { ...tags }, Status: status ?? "", Name: name ?? "" };
    const { Members } = isFiltered
      ? await this.#call("members-filtered", request, options)
      : await this.#call("members", null, options);
    return (Members ?? []).map(fromWire);
  }

  /**
   * Joins the cluster at `addresses`, each `[name/]host[:port]`.
   *
   * @returns how many of them were joined; when it is none of several, the promise rejects instead
   */
  async join(addresses: readonly string[], options: JoinOptions = {}): Promise<number> {
    requireArgument("addresses of join", addresses, "list");
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
    requireArgument("name of a node", node, "text");
    const request = { Node: node, Prune: options.prune ?? false };
    await this.#call("force-leave", request, options, CLUSTER_PATIENCE);
  }

  /** Fires a user event. Name and payload together may take some 500 bytes, as the agent is configured. */
  async event(name: string, payload: Payload = null, options: EventOptions = {}): Promise<void> {
    requireArgument("name of an event", name, "text");
    const request = { Name: name, Payload: bytesOf(payload), Coalesce: options.coalesce ?? true };
    await this.#call("event", request, options);
  }

  /**
   * Asks the cluster. The stream brings acks, if they were asked for, and answers, each node's once; it ends when the agent
   * says that the query is over. Stopping it ends it here; the agent goes on until the query's own timeout.
   *
   * @throws {RangeError} when the query's timeout is no number
   */
  async query(
    name: string,
    payload: Payload = null,
    options: QueryOptions = {},
  ): Promise<QueryStream> {
    requireArgument("name of a query", name, "text");
    checkOptions("query", options);
    const { timeoutMs: _, acceptTimeoutMs: timeoutMs, ...rest } = options;
    const body = queryRequest(name, payload, options);
    const request = { command: "query", body, decode: decodeQueryRecord } as const;
    return await this.#subscribe(request, timeoutMs === undefined ? rest : { ...rest, timeoutMs });
  }

  /** Answers the query event with this `id`, which came on the connection that there is now. */
  async respond(
    id: number | bigint,
    payload: Payload = null,
    options?: CallOptions,
  ): Promise<void> {
    await this.#call("respond", { ID: id, Payload: bytesOf(payload) }, options);
  }

  /**
   * Adds a key, base64 of 16, 24 or 32 bytes, to every node's keyring.
   *
   * @throws {KeyError} when a node failed or did not answer; it has the report
   */
  installKey(key: string, options?: CallOptions): Promise<KeyReport> {
    return this.#changeKey("install-key", key, options);
  }

  /**
   * Makes a key that is on every keyring the one that nodes encrypt with.
   *
   * @throws {KeyError} when a node failed or did not answer; it has the report
   */
  useKey(key: string, options?: CallOptions): Promise<KeyReport> {
    return this.#changeKey("use-key", key, options);
  }

  /**
   * Takes a key that is not the one in use off every keyring.
   *
   * @throws {KeyError} when a node failed or did not answer; it has the report
   */
  removeKey(key: string, options?: CallOptions): Promise<KeyReport> {
    return this.#changeKey("remove-key", key, options);
  }

  /**
   * Counts on how many nodes each key is.
   *
   * @throws {KeyError} when a node failed or did not answer; it has the report
   */
  async listKeys(options?: CallOptions): Promise<KeyReport> {
    const failure = keyFailure("list-keys");
    return reportOf(await this.#call("list-keys", null, options, CLUSTER_PATIENCE, failure));
  }

  /** The network coordinate of a node; `undefined` when the agent does not know it. See `rttBetween`. */
  async coordinate(node: string, options?: CallOptions): Promise<Coordinate | undefined> {
    requireArgument("name of a node", node, "text");
    return coordinateOf(await this.#call("get-coordinate", { Node: node }, options));
  }

  /** Changes the agent's tags. */
  async updateTags(changes: TagChanges, options?: CallOptions): Promise<void> {
    requireOptions("updateTags", changes, { set: "map", delete: "list" });
    const request = { Tags: { ...changes.set }, DeleteTags: [...changes.delete ?? []] };
    await this.#call("tags", request, options, CLUSTER_PATIENCE);
  }

  /** The agent's figures by name, by section. */
  async stats(options?: CallOptions): Promise<Record<string, Record<string, string>>> {
    const sections = Object.entries(await this.#call("stats", null, options) ?? {});
    return Object.fromEntries(sections.map(([name, figures]) => [name, figures ?? {}]));
  }

  /**
   * Makes a skein agent that was started from the command line read its configuration again. It rejects with what is wrong
   * with the configuration; nothing is taken over then.
   */
  async reload(options?: CallOptions): Promise<ReloadReport> {
    const { Applied, Restart } = await this.#call("reload", null, options, CLUSTER_PATIENCE);
    return { applied: Applied ?? [], restart: Restart ?? [] };
  }

  /**
   * Tells of the replicated state of a skein agent that is a server, or changes who takes part in it: `status`, `add`, `remove`,
   * `demote`, `transfer`, `snapshot`, `verify`. Resolves with what the agent says of it. Rejects with why it could not be done.
   *
   * @param node Name of a server's agent, or the beginning of its id
   * @param options With `limitMs` `verify` may take so many milliseconds, up to an hour, by default a minute
   */
  async raft(
    action: string,
    node = "",
    options: CallOptions & { readonly limitMs?: number } = {},
  ): Promise<unknown> {
    requireArgument("action", action, "text");
    requireArgument("name of a node", node, "text");
    checkOptions("raft", options);
    const { limitMs = 0, ...call } = options;
    const body = { Action: action, Node: node, Timeout: nanoseconds(limitMs) };
    return JSON.parse((await this.#call("raft", body, call, CLUSTER_PATIENCE)).Result);
  }

  /**
   * Tells of the sessions of clients of a skein agent that is a server, or ends one: `list` some, those after the id `session`,
   * `show`, `end`. Resolves with what the agent says of it. Rejects with why it could not be done.
   *
   * @param session Id of a session, or the beginning of one
   */
  async session(action: string, session = "", options?: CallOptions): Promise<unknown> {
    requireArgument("action", action, "text");
    requireArgument("id of a session", session, "text");
    const body = { Action: action, Session: session };
    return JSON.parse((await this.#call("session", body, options, CLUSTER_PATIENCE)).Result);
  }

  /**
   * Streams events from now on.
   *
   * `filter` is a list with commas, no blanks: `*`, `user`, `user:NAME`, `query`, `query:NAME`, `member-join`,
   * `member-leave`, `member-failed`, `member-update`, `member-reap`.
   */
  async stream(filter = "*", options: StreamOptions = {}): Promise<EventStream> {
    requireArgument("filter of a stream", filter, "text");
    return await this.#subscribe({
      command: "stream",
      body: { Type: filter },
      decode: (record, connection) =>
        decodeEvent(record, async (id, payload, respondOptions = {}) => {
          const answer = { ID: id, Payload: bytesOf(payload) };
          const callOptions = { timeoutMs: this.#timeoutMs, ...respondOptions };
          await connection.call("respond", answer, callOptions);
        }),
    }, options);
  }

  /** Streams the agent's log from `level` (trace, debug, info, warn or err) up. One per client. */
  async monitor(level = "info", options: StreamOptions = {}): Promise<LogStream> {
    requireArgument("level of a monitor", level, "text");
    const body = { LogLevel: level };
    const line = (record: Uint8Array): string => decode(LogRecord, record).Log;
    return await this.#subscribe({ command: "monitor", body, decode: line }, options);
  }

  /** Closes the connection. Calls under way reject, streams end. Safe to call again. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** {@linkcode RpcClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #subscribe<N extends StreamCommand, T>(
    request: StreamRequest<N, T>,
    options: StreamOptions,
  ): Promise<RecordStream<T>> {
    checkOptions(request.command, options);
    const { timeoutMs = this.#timeoutMs } = options;
    return await subscribe(this.#link, request, { ...options, timeoutMs });
  }

  async #changeKey(command: KeyChange, key: string, options?: CallOptions): Promise<KeyReport> {
    requireArgument("key", key, "secret");
    const failure = keyFailure(command);
    const body = { Key: key };
    return reportOf(await this.#call(command, body, options, CLUSTER_PATIENCE, failure));
  }

  async #call<N extends CommandName>(
    command: N,
    body: RequestOf<N>,
    options: CallOptions = {},
    patience = 1,
    failure?: Failure<N>,
  ): Promise<ResponseOf<N>> {
    checkOptions(command, options);
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs * patience;
    const { current } = this.#link;
    if (current !== undefined) {
      return current.call(command, body, { ...options, timeoutMs }, failure);
    }
    const start = performance.now();
    const connection = await this.#link.forCall({
      signal: options.signal,
      timeoutMs,
      timeoutError: () => answerTimeout(command, timeoutMs),
      giveUp: () => {},
    });
    const left = Math.max(0, timeoutMs - (performance.now() - start));
    return connection.call(command, body, { ...options, timeoutMs: left }, failure);
  }
}
