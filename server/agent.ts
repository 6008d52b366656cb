/**
 * A running agent: the cluster core on real sockets, with a log, files and listeners.
 *
 * @module
 */

import type { Address } from "../cluster/runtime.ts";
import type { Coordinate } from "../cluster/coordinate/mod.ts";
import {
  INTERNAL_PREFIX,
  type KeyReport,
  type Member,
  QueryError,
  type QueryParams,
  type RunningQuery,
  type Serf,
  type SerfEvent,
} from "../cluster/serf/mod.ts";
import { Listeners } from "./agent/listeners.ts";
import { blockOf } from "./agent/log_text.ts";
import { type CoreInput, type OpenCore, openCore, starting } from "./agent/open.ts";
import { AgentParts } from "./agent/parts.ts";
import type { AgentSettings } from "./agent/settings.ts";
import { runtimeStats } from "./agent/stats.ts";
import { AgentTags } from "./agent/tags.ts";
import { type AgentConfig, DEFAULT_AGENT_CONFIG } from "./config.ts";
import { planAgent } from "./config/plan.ts";
import { handlerStats, parseHandler } from "./handlers/spec.ts";
import { AgentLog } from "./logging.ts";
import { quoteBytes } from "./logging/quote.ts";
import { type AgentMetrics, metricsOf } from "./metrics/agent_metrics.ts";
import type { RpcBackend } from "./rpc/backend.ts";
import { RpcServer } from "./rpc/server.ts";
import type { NetTransport } from "./transport.ts";

export { AgentStartError } from "./agent/open.ts";
export type { AgentSettings } from "./agent/settings.ts";

/** The one query among agents that clients may send, too: it is only asked for its acks. */
const PING_QUERY = `${INTERNAL_PREFIX}ping`;

/**
 * An agent. It gossips from {@linkcode Agent.start} on; {@linkcode Agent.listenRpc} lets RPC clients in.
 *
 * A polite end is {@linkcode Agent.leave} and then {@linkcode Agent.shutdown}.
 */
export class Agent implements RpcBackend, AsyncDisposable {
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
  /** Resolves when it has ended, also when it lost its name to another node (serf.md 14). */
  readonly closed: Promise<void>;
  readonly #transport: NetTransport;
  readonly #listeners: Listeners;
  readonly #tags: AgentTags;
  readonly #rpcServers: RpcServer[] = [];
  readonly #markClosed: () => void;
  #parts: AgentParts | undefined;
  #shutdown: Promise<void> | undefined;

  private constructor(
    { config, log, metrics }: Pick<CoreInput, "config" | "log"> & { metrics: AgentMetrics },
    listeners: Listeners,
    core: OpenCore,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
    this.config = config;
    this.log = log;
    this.metrics = metrics;
    this.serf = core.serf;
    this.address = core.transport.localAddress;
    this.#transport = core.transport;
    this.#listeners = listeners;
    this.#tags = new AgentTags(core.serf, config.tagsFile);
  }

  /**
   * Binds the gossip port and becomes a cluster of one.
   *
   * @param settings What differs from the defaults.
   * @throws {ConfigError} when a setting cannot be used.
   * @throws {AgentStartError} when a file cannot be read or the port cannot be had.
   */
  static async start(settings: AgentSettings = {}): Promise<Agent> {
    const { log: ownLog, plan: knownPlan, ...overrides } = settings;
    const merged = { ...DEFAULT_AGENT_CONFIG, ...overrides };
    const config = { ...merged, nodeName: merged.nodeName || Deno.hostname() };
    const plan = knownPlan ?? await planAgent(config);
    const log = ownLog ?? new AgentLog(config.nodeName);
    const listeners = new Listeners(log);
    const onEvent = (event: SerfEvent): void => listeners.tell(event);
    const metrics = metricsOf(config);
    const core = await openCore({ config, plan, log, metrics, onEvent });
    const agent = new Agent({ config, log, metrics }, listeners, core);
    try {
      await starting(() => agent.#begin());
    } catch (error) {
      await agent.shutdown();
      throw error;
    }
    return agent;
  }

  /** Changes whenever {@linkcode Agent.members} does. */
  get membersVersion(): number {
    return this.serf.version;
  }

  /** All members, in every status. */
  members(): Member[] {
    return this.serf.members();
  }

  /**
   * Lets RPC clients in until the agent ends.
   *
   * @param address `host:port`; default: the `rpcAddr` of the settings.
   * @throws {RpcListenError} when the address cannot be listened on.
   */
  listenRpc(address: string = this.config.rpcAddr): RpcServer {
    const server = RpcServer.listen(this, { address, authKey: this.config.rpcAuth });
    this.#rpcServers.push(server);
    return server;
  }

  /** Calls `listener` with every event, in order. Returns how to end that. */
  subscribe(listener: (event: SerfEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Joins the cluster through agents at `[name/]host[:port]`. Resolves with how many answered.
   *
   * Rejects with `JoinError` when there were addresses and none answered, with `SerfStateError` after a leave.
   *
   * @param options `replay`: deliver user events of before the join.
   */
  async join(
    addresses: readonly string[],
    options: { replay: boolean } = { replay: false },
  ): Promise<number> {
    const { replay } = options;
    this.#info(() => `joining: [${addresses.join(" ")}] replay: ${replay}`);
    try {
      const joined = await this.serf.join([...addresses], { ignoreOld: !replay });
      if (joined > 0) this.#info(`joined: ${joined} nodes`);
      return joined;
    } catch (error) {
      this.log.write("WARN", "agent", `error joining: ${blockOf(error)}`, { multiline: true });
      throw error;
    }
  }

  /**
   * Makes a failed member count as left. An unknown name is no error.
   *
   * Rejects with `ForceLeaveTimeoutError` when the news is not sent in time.
   *
   * @param options `prune`: every agent forgets the member.
   */
  async forceLeave(
    node: string,
    options: { prune: boolean } = { prune: false },
  ): Promise<void> {
    const note = options.prune ? " (prune)" : "";
    this.#info(`Force leaving node${note}: ${node}`);
    try {
      await this.serf.forceLeave(node, options);
    } catch (error) {
      this.#warn(`failed to remove node${note}: ${(error as Error).message}`);
      throw error;
    }
  }

  /**
   * Fires a user event.
   *
   * @param payload Not to be changed afterwards.
   * @throws {EventTooLargeError} when it exceeds `userEventSizeLimit`.
   */
  userEvent(name: string, payload: Uint8Array | null, coalesce: boolean): void {
    this.log.write(
      "DEBUG",
      "agent",
      () =>
        `Requesting user event send: ${name}. Coalesced: ${coalesce}. Payload: ${
          quoteBytes(payload)
        }`,
    );
    try {
      this.serf.userEvent(name, payload, coalesce);
    } catch (error) {
      this.#warn(`failed to send user event: ${(error as Error).message}`);
      throw error;
    }
  }

  /**
   * Asks the cluster.
   *
   * @param payload Not to be changed afterwards.
   * @throws {QueryError} when it exceeds `querySizeLimit`, when too many run, and for a name that agents use among
   * themselves, except `_serf_ping` without a payload.
   */
  query(name: string, payload: Uint8Array | null, params: QueryParams = {}): RunningQuery {
    if (name.startsWith(INTERNAL_PREFIX) && (name !== PING_QUERY || payload !== null)) {
      throw new QueryError(`Queries cannot contain the '${INTERNAL_PREFIX}' prefix`);
    }
    this.log.write(
      "DEBUG",
      "agent",
      () => `Requesting query send: ${name}. Payload: ${quoteBytes(payload)}`,
    );
    try {
      return this.serf.query(name, payload, params);
    } catch (error) {
      this.#warn(`failed to start user query: ${(error as Error).message}`);
      throw error;
    }
  }

  /** Adds a base64 key to every keyring. Rejects with `KeyOperationError` when a node failed or was silent. */
  async installKey(key: string): Promise<KeyReport> {
    this.#info("Initiating key installation");
    return await this.serf.keys.install(key);
  }

  /** Makes a base64 key of every keyring the one that encrypts. Rejects like {@linkcode Agent.installKey}. */
  async useKey(key: string): Promise<KeyReport> {
    this.#info("Initiating primary key change");
    return await this.serf.keys.use(key);
  }

  /** Takes a base64 key off every keyring. Rejects like {@linkcode Agent.installKey}. */
  async removeKey(key: string): Promise<KeyReport> {
    this.#info("Initiating key removal");
    return await this.serf.keys.remove(key);
  }

  /** Counts on how many nodes each key is. Rejects like {@linkcode Agent.installKey}. */
  async listKeys(): Promise<KeyReport> {
    this.#info("Initiating key listing");
    return await this.serf.keys.list();
  }

  /** The network coordinate of a node, `undefined` when it is unknown. */
  coordinate(node: string = this.config.nodeName): Coordinate | undefined {
    return this.serf.cachedCoordinate(node);
  }

  /**
   * Deletes tags, then sets others, and writes the tags file if there is one.
   *
   * Rejects with `TagsTooLargeError`, with `UpdateTimeoutError` when the news is not sent in time (the tags are in effect
   * then, and in the file), and with `TagsFileError`.
   */
  async updateTags(
    set: Readonly<Record<string, string>>,
    remove: readonly string[] = [],
  ): Promise<void> {
    await this.#tags.update(set, remove);
  }

  /**
   * Takes over tags of a changed configuration. What was changed by other means since the start is kept, unless the
   * configuration now says something else about it. With a tags file nothing changes.
   */
  async reloadTags(
    before: Readonly<Record<string, string>>,
    now: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#tags.reload(before, now);
  }

  /**
   * From the next event on these scripts run, each `[FILTERS=]SCRIPT` (agent.md 6.9). `stats` goes on to show those of the
   * start.
   *
   * Rejects with `HandlerSpecError` when a filter is no event; nothing changes then.
   */
  async reloadHandlers(eventHandlers: readonly string[]): Promise<void> {
    await this.#parts?.replaceScripts(eventHandlers);
  }

  /** Leaves the cluster: the others will see `left`, not `failed`. Rejects with `SerfStateError` during another leave. */
  async leave(): Promise<void> {
    this.#info("requesting graceful leave from Serf");
    await this.serf.leave();
  }

  /** Ends the agent without telling the cluster, and closes its RPC servers. Safe to call more than once. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close();
    return this.#shutdown;
  }

  /** Same as {@linkcode Agent.shutdown}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Figures for operators, by group and name (agent.md 3). */
  stats(): Record<string, Record<string, string>> {
    return {
      agent: { name: this.config.nodeName },
      runtime: runtimeStats(),
      serf: this.serf.stats(),
      tags: this.serf.tags(),
      event_handlers: handlerStats(this.config.eventHandlers.map(parseHandler)),
    };
  }

  async #begin(): Promise<void> {
    void this.serf.closed.then(() => {
      if (this.#shutdown !== undefined) return;
      this.#warn("Serf shutdown detected, quitting");
      return this.shutdown();
    });
    this.serf.start();
    this.#parts = await AgentParts.start(this);
  }

  async #close(): Promise<void> {
    this.#info("requesting serf shutdown");
    try {
      await this.#parts?.[Symbol.asyncDispose]();
      await this.serf.shutdown();
      await this.#transport.close();
      await this.#tags.settled();
      this.#info("shutdown complete");
    } finally {
      this.#markClosed();
      await Promise.all(this.#rpcServers.map((server) => server.close()));
    }
  }

  #info(text: string | (() => string)): void {
    this.log.write("INFO", "agent", text);
  }

  #warn(text: string): void {
    this.log.write("WARN", "agent", text);
  }
}
