/**
 * A running agent: the cluster core on real sockets, with a log, files and listeners.
 *
 * @module
 */

import type { Coordinate } from "../../cluster/coordinate/mod.ts";
import type { Keyring } from "../../cluster/memberlist/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import {
  type KeyOptions,
  type KeyReport,
  type Member,
  type MemberEvent,
  type QueryEvent,
  type QueryParams,
  type Serf,
  type SerfEvent,
  SerfStateError,
  type Tags,
  type UserEventNotice,
} from "../../cluster/serf/mod.ts";
import { requireArgument, requireOptions } from "../../protocol/arguments.ts";
import { roundTripMs } from "../../protocol/coordinate.ts";
import { bytesOf } from "../../protocol/payload.ts";
import type { AgentConfig } from "../config/load.ts";
import type { NetTransport } from "../gossip/transport.ts";
import { background } from "../logging/background.ts";
import type { AgentLog } from "../logging/log.ts";
import type { AgentMetrics } from "../metrics/agent_metrics.ts";
import { closeInOrder, closeTogether } from "../net/closing.ts";
import type { Reload } from "../rpc/backend.ts";
import { RpcServer } from "../rpc/server.ts";
import { Commands } from "./commands.ts";
import { Ending, NameTakenError } from "./ending.ts";
import { EventFeeds } from "./events/feed.ts";
import type { EventFeed, FeedOptions } from "../feed.ts";
import { filterOf, isMemberEvent, isNamed } from "./events/filters.ts";
import type { Listeners } from "./events/listeners.ts";
import { filteredMembers } from "./members.ts";
import type { Payload } from "./payload.ts";
import { type AgentQuery, asAgentQuery } from "./query.ts";
import { type EventOptions, type MemberFilter, REQUESTS, type TagChanges } from "./requests.ts";
import type { RpcListener } from "./rpc_listener.ts";
import { joinAtStart } from "./start/joins.ts";
import { type OpenAgent, openAgent, starting } from "./start/open.ts";
import { AgentParts } from "./start/parts.ts";
import type { AgentSettings } from "./start/settings.ts";
import { AgentStats } from "./stats.ts";
import { type AgentState, requireState } from "./state.ts";
import { AgentTags } from "./tags.ts";

export { AgentStartError } from "./start/open.ts";
export type { AgentSettings } from "./start/settings.ts";

/**
 * An agent. It gossips from {@linkcode Agent.start} on; {@linkcode Agent.listenRpc} lets RPC clients in.
 *
 * A polite end is {@linkcode Agent.leave} and then {@linkcode Agent.shutdown}.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   bind: "127.0.0.1:0",
 *   handlers: { "query:load": () => "0.5", "member-join": ({ members }) => console.log(members) },
 * });
 * using deploys = agent.userEvents("deploy");
 * agent.event("deploy", "v1.2", { coalesce: false });
 * setTimeout(() => deploys.close(), 100);
 * for await (const { payload } of deploys) console.log(payload);
 * for await (const { from, payload } of agent.query("load")) console.log(from, payload);
 * ```
 */
export class Agent implements AsyncDisposable {
  /** The settings it was started with. */
  readonly config: AgentConfig;
  /** The cluster core. */
  readonly serf: Serf;
  /** Its log. */
  readonly log: AgentLog;
  /** Its figures of the last minute. */
  readonly metrics: AgentMetrics;
  /** Where it gossips. */
  readonly address: Address;
  /**
   * Resolves when it has ended: with nothing, or with what made it end, {@linkcode NameTakenError} or an error that
   * nobody expected. Never rejects.
   */
  readonly closed: Promise<Error | undefined>;
  /** The keys of gossip, if it is encrypted. */
  readonly keyring: Keyring | undefined;
  readonly #rpcAuth: string;
  readonly #transport: NetTransport;
  readonly #listeners: Listeners;
  readonly #commands: Commands;
  readonly #feeds: EventFeeds;
  readonly #tags: AgentTags;
  readonly #rpcServers: RpcServer[] = [];
  readonly #joining = new AbortController();
  readonly #parts: AgentParts = new AgentParts(this);
  readonly #stats = new AgentStats(this);
  readonly #ending: Ending;

  private constructor(parts: OpenAgent) {
    const { config, log, metrics, listeners, serf, rpcAuth, keyring, transport } = parts;
    this.keyring = keyring;
    this.config = config;
    this.log = log;
    this.metrics = metrics;
    this.serf = serf;
    this.address = transport.localAddress;
    this.#rpcAuth = rpcAuth;
    this.#transport = transport;
    this.#listeners = listeners;
    this.#commands = new Commands(serf, log);
    this.#feeds = new EventFeeds(listeners);
    this.#tags = new AgentTags(serf, config.tagsFile);
    this.#ending = new Ending({
      log,
      leave: () => this.leave({ force: true }),
      close: () => this.#close(),
      closeServers: () => closeTogether(this.#rpcServers.map((server) => () => server.close())),
    });
    this.closed = this.#ending.closed;
  }

  /**
   * Binds the gossip port, becomes a cluster of one, and joins the cluster at the `startJoin` addresses if there are
   * any; the `retryJoin` addresses are tried in the background, and when no more tries are allowed the agent ends.
   *
   * @param settings What differs from the defaults.
   * @throws {ConfigError} when a setting cannot be used.
   * @throws {AgentStartError} when a file cannot be read or the port cannot be had.
   * @throws {JoinError} when none of the `startJoin` addresses answers.
   */
  static async start(settings: AgentSettings = {}): Promise<Agent> {
    const agent = new Agent(await openAgent(settings));
    try {
      await starting(() => agent.#begin());
      await joinAtStart(agent, agent.config, agent.#joining.signal);
    } catch (error) {
      await agent.shutdown().catch(() => {}); // That is in the log, and less than why it did not start.
      throw error;
    }
    return agent;
  }

  /** Changes whenever {@linkcode Agent.members} does. */
  get membersVersion(): number {
    return this.serf.version;
  }

  /** The members that match all of `filter`, by default all, in every status. Throws `PatternError`. */
  members(filter?: MemberFilter): Member[] {
    return filteredMembers(this.serf.members(), filter);
  }

  /**
   * Lets RPC clients in until the agent ends.
   *
   * @param address `host:port`; default: the `rpcAddr` of the settings.
   * @param options.reload What the command `reload` does; default: it fails.
   * @throws {RpcListenError} when the address cannot be listened on.
   */
  listenRpc(
    address: string = this.config.rpcAddr,
    { reload }: { readonly reload?: Reload } = {},
  ): RpcListener {
    const server = RpcServer.listen(this, { address, authKey: this.#rpcAuth, reload });
    this.#rpcServers.push(server);
    return server;
  }

  /** Calls `listener` with every event, in order. Returns how to end that. */
  subscribe(listener: (event: SerfEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * The events from now on that `filter` names, as in {@linkcode Handlers}; several with commas, no blanks.
   *
   * @throws {ConfigError} when the filter names none
   */
  events(filter = "*", options?: FeedOptions): EventFeed<SerfEvent> {
    return this.#feeds.open(filterOf(filter), options);
  }

  /** What happens to members from now on. The agent gathers changes of up to 3 seconds. */
  memberEvents(options?: FeedOptions): EventFeed<MemberEvent> {
    return this.#feeds.open(isMemberEvent, options);
  }

  /** The user events from now on, those of one name or all. */
  userEvents(name?: string, options?: FeedOptions): EventFeed<UserEventNotice> {
    return this.#feeds.open(isNamed("user", name), options);
  }

  /** The queries from now on, those of one name or all, to be answered with `respond`. */
  queries(name?: string, options?: FeedOptions): EventFeed<QueryEvent> {
    return this.#feeds.open(isNamed("query", name), options);
  }

  /**
   * Joins the cluster through agents at `[name/]host[:port]`. Resolves with how many answered.
   *
   * Rejects with `JoinError` when there were addresses and none answered, with `SerfStateError` after a leave, and with
   * the signal's reason when that aborts. A leave and the end of the agent end a join, too.
   *
   * @param options `replay`: deliver user events of before the join. Default false. `signal`: ends the join
   */
  async join(
    addresses: readonly string[],
    options: { replay?: boolean; signal?: AbortSignal } = {},
  ): Promise<number> {
    requireArgument("addresses of a join", addresses, "list");
    requireOptions("join", options, REQUESTS.join);
    const { replay = false, signal } = options;
    const signals = [this.#joining.signal, ...signal === undefined ? [] : [signal]];
    return await this.#commands.join(addresses, { replay, signal: AbortSignal.any(signals) });
  }

  /**
   * Makes a failed member count as left. An unknown name is no error.
   *
   * Rejects with `ForceLeaveTimeoutError` when the news is not sent in time.
   *
   * @param options `prune`: every agent forgets the member. Default false
   */
  async forceLeave(node: string, options: { prune?: boolean } = {}): Promise<void> {
    requireArgument("name of a node", node, "text");
    requireOptions("forceLeave", options, REQUESTS.forceLeave);
    await this.#commands.forceLeave(node, options.prune ?? false);
  }

  /**
   * Fires a user event.
   *
   * @throws {EventTooLargeError} when it exceeds `userEventSizeLimit`.
   * @throws {EventQueueFullError} when so many wait to be gossiped that one more would be lost.
   */
  event(name: string, payload: Payload = null, options?: EventOptions): void {
    requireArgument("name of an event", name, "text");
    requireOptions("event", options, REQUESTS.event);
    this.#commands.event(name, bytesOf(payload), options?.coalesce ?? true);
  }

  /**
   * Asks the cluster, this agent included.
   *
   * @throws {QueryError} when it exceeds `querySizeLimit`, when too many run, and for a name that agents use among
   * themselves, except `_serf_ping` without a payload.
   */
  query(name: string, payload: Payload = null, params: QueryParams = {}): AgentQuery {
    requireArgument("name of a query", name, "text");
    requireOptions("query", params, REQUESTS.query);
    return asAgentQuery(this.#commands.query(name, bytesOf(payload), params));
  }

  /** Adds a base64 key to every keyring. Rejects with `KeyOperationError` when a node failed or was silent. */
  installKey(key: string, options?: KeyOptions): Promise<KeyReport> {
    return this.#commands.changeKey("install", key, options);
  }

  /** Makes a base64 key of every keyring the one that encrypts. Rejects like {@linkcode Agent.installKey}. */
  useKey(key: string, options?: KeyOptions): Promise<KeyReport> {
    return this.#commands.changeKey("use", key, options);
  }

  /** Takes a base64 key off every keyring. Rejects like {@linkcode Agent.installKey}. */
  removeKey(key: string, options?: KeyOptions): Promise<KeyReport> {
    return this.#commands.changeKey("remove", key, options);
  }

  /** Counts on how many nodes each key is. Rejects like {@linkcode Agent.installKey}. */
  listKeys(options?: KeyOptions): Promise<KeyReport> {
    return this.#commands.listKeys(options);
  }

  /** The network coordinate of a node, by default this one; `undefined` when it is unknown and when coordinates are off. */
  coordinate(node: string = this.config.nodeName): Coordinate | undefined {
    return this.serf.cachedCoordinate(node);
  }

  /**
   * The estimated round trip between two nodes, the second one by default this one, in milliseconds. `undefined` when
   * one of their coordinates is unknown.
   */
  rtt(a: string, b: string = this.config.nodeName): number | undefined {
    const [from, to] = [this.coordinate(a), this.coordinate(b)];
    return from && to && roundTripMs(from, to);
  }

  /**
   * Deletes tags and sets others, after they were written to the tags file if there is one.
   *
   * Rejects with `TagsTooLargeError` and `TagsFileError`, and nothing has changed then; with `UpdateTimeoutError` when
   * the news is not sent in time (the tags are in effect then, and in the file).
   */
  async updateTags(changes: TagChanges): Promise<void> {
    requireOptions("updateTags", changes, REQUESTS.updateTags);
    await this.#tags.update(changes);
  }

  /**
   * Takes over tags of a changed configuration. What was changed by other means since the start is kept, unless the
   * configuration now says something else about it. With a tags file nothing changes.
   */
  reloadTags(before: Tags, now: Tags): Promise<void> {
    return this.#tags.reload(before, now);
  }

  /**
   * From the next event on these scripts run, each `[FILTERS=]SCRIPT` (docs/spec/agent.md 6.9). `stats` goes on to show
   * those of the start.
   *
   * Rejects with `ConfigError` when a filter is no event; nothing changes then.
   */
  async reloadHandlers(eventHandlers: readonly string[]): Promise<void> {
    await this.#parts.replaceScripts(eventHandlers);
  }

  /** The key-value store of a server. Throws `NoStateError` when this agent is none. */
  get kv(): AgentState["kv"] {
    return requireState(this.state).kv;
  }

  /** The topics of a server. Throws `NoStateError` when this agent is none. */
  get topics(): AgentState["topics"] {
    return requireState(this.state).topics;
  }

  /** The replicated state, when this agent is a server. */
  get state(): AgentState | undefined {
    return this.#parts.state;
  }

  /**
   * Leaves the cluster: the others will see `left`, not `failed`. A server is taken out of the log's members first; `force` leaves
   * although that cannot be done. Rejects with `LeaveInProgressError`, and with `LeaveRefusedError` when too few would remain.
   */
  async leave({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.state?.leave(force);
    this.#endJoins();
    this.log.write("INFO", "agent", "requesting graceful leave from Serf");
    await this.serf.leave();
  }

  /**
   * Ends the agent without telling the cluster, and closes its RPC servers. Safe to call more than once. Rejects, when
   * all is done, with what could not be closed: one error, or an `AggregateError`.
   */
  shutdown(): Promise<void> {
    return this.#ending.shutdown();
  }

  /** Same as {@linkcode Agent.shutdown}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Figures for operators, by group and name (docs/spec/agent.md 3, stats). */
  stats(): Record<string, Record<string, string>> {
    return this.#stats.groups();
  }

  async #begin(): Promise<void> {
    background(this.serf.closed.then(() => this.#onSerfClosed()), this.log);
    await this.#parts.prepare();
    this.serf.start();
    await this.#parts.begin((error) => {
      this.log.write("ERR", "raft", error.message);
      background(this.#ending.endWith(error), this.log);
    });
  }

  #endJoins(): void {
    this.#joining.abort(new SerfStateError("Serf can't Join after Leave or Shutdown"));
  }

  #onSerfClosed(): void {
    if (this.#ending.begun) return;
    this.log.write("WARN", "agent", "Serf shutdown detected, quitting");
    background(this.#ending.endWith(new NameTakenError(this.config.nodeName)), this.log);
  }

  async #close(): Promise<void> {
    this.#endJoins();
    this.log.write("INFO", "agent", "requesting serf shutdown");
    await closeInOrder([
      () => this.#parts[Symbol.asyncDispose](),
      () => this.serf.shutdown(),
      () => this.#feeds.close(),
      () => this.#transport.close(),
      () => this.#tags.settled(),
    ]);
    this.log.write("INFO", "agent", "shutdown complete");
  }
}
