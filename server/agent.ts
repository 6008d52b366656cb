/**
 * A running agent: the cluster core on real sockets, with a log, files and listeners.
 *
 * @module
 */

import { UpdateTimeoutError } from "../cluster/memberlist/mod.ts";
import type { Address } from "../cluster/runtime.ts";
import { type Member, Serf, type SerfConfig, type SerfEvent } from "../cluster/serf/mod.ts";
import { blockOf, titleOf } from "./agent/log_text.ts";
import {
  initialKeys,
  initialTags,
  keyringOf,
  memberlistSettings,
  openTransport,
  serfSettings,
} from "./agent/preparation.ts";
import { startParts } from "./agent/parts.ts";
import { runtimeStats } from "./agent/stats.ts";
import { type AgentConfig, DEFAULT_AGENT_CONFIG } from "./config.ts";
import { type AgentPlan, planAgent } from "./config/plan.ts";
import { writeTagsFile } from "./files/tags_file.ts";
import { AgentLog } from "./logging.ts";
import { quoteBytes } from "./logging/quote.ts";
import type { RpcBackend } from "./rpc/backend.ts";
import { RpcServer } from "./rpc/server.ts";
import { realRuntime } from "./runtime.ts";
import type { NetTransport } from "./transport.ts";

/** An agent could not be started; nothing is left running. The message has the form of the Go agent. */
export class AgentStartError extends Error {
  /** "AgentStartError". */
  override readonly name = "AgentStartError";
}

/** What {@linkcode Agent.start} can be given besides the settings. */
export interface AgentStartOptions {
  /** Where its log lines go. Default: a new log. */
  readonly log?: AgentLog;
  /** What `planAgent` found out before. Default: it is asked. */
  readonly plan?: AgentPlan;
}

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
  /** Where it gossips. */
  readonly address: Address;
  /** Resolves when it has ended, also when it lost its name to another node (serf.md 14). */
  readonly closed: Promise<void>;
  readonly #transport: NetTransport;
  readonly #listeners = new Set<(event: SerfEvent) => void>();
  readonly #rpcServers: RpcServer[] = [];
  readonly #markClosed: () => void;
  #parts: AsyncDisposableStack | undefined;
  #shutdown: Promise<void> | undefined;
  #tagsFileWrites: Promise<void> = Promise.resolve();

  private constructor(
    config: AgentConfig,
    log: AgentLog,
    transport: NetTransport,
    settings: Omit<SerfConfig, "onEvent">,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
    this.config = config;
    this.log = log;
    this.address = transport.localAddress;
    this.#transport = transport;
    const runtime = realRuntime(transport, (subsystem) => log.logger(subsystem));
    this.serf = new Serf({ ...settings, onEvent: (event) => this.#receive(event) }, runtime);
  }

  /**
   * Binds the gossip port and becomes a cluster of one.
   *
   * @param settings What differs from the defaults.
   * @throws {ConfigError} when a setting cannot be used.
   * @throws {AgentStartError} when a file cannot be read or the port cannot be had.
   */
  static async start(
    settings: Partial<AgentConfig> = {},
    options: AgentStartOptions = {},
  ): Promise<Agent> {
    const merged = { ...DEFAULT_AGENT_CONFIG, ...settings };
    const config = { ...merged, nodeName: merged.nodeName || Deno.hostname() };
    const plan = options.plan ?? await planAgent(config);
    const log = options.log ?? new AgentLog(config.nodeName);
    const tags = await setup(() => initialTags(config, log));
    const fileKeys = await setup(() => initialKeys(config, log));
    log.write("INFO", "agent", "Serf agent starting");
    return await begin(async () => {
      const transport = await openTransport(plan.bind, log);
      try {
        const keyring = fileKeys ?? keyringOf(plan);
        const memberlist = memberlistSettings(config, plan, transport.localAddress, keyring);
        const agent = new Agent(config, log, transport, serfSettings(config, tags, memberlist));
        await agent.#begin();
        return agent;
      } catch (error) {
        await transport.close();
        throw error;
      }
    });
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
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
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
   * Deletes tags, then sets others, and writes the tags file if there is one.
   *
   * Rejects with `TagsTooLargeError`, with `UpdateTimeoutError` when the news is not sent in time (the tags are in effect
   * then, and in the file), and with `TagsFileError`.
   */
  async updateTags(
    set: Readonly<Record<string, string>>,
    remove: readonly string[] = [],
  ): Promise<void> {
    const tags = this.serf.tags();
    for (const tag of remove) delete tags[tag];
    await this.#setTags({ ...tags, ...set });
  }

  /**
   * Takes over tags of a changed configuration. What was changed by other means since the start is kept, unless the
   * configuration now says something else about it. With a tags file nothing changes.
   */
  async reloadTags(
    before: Readonly<Record<string, string>>,
    now: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (this.config.tagsFile !== "") return;
    const tags = this.serf.tags();
    const next = { ...tags };
    for (const tag of Object.keys(before)) if (!Object.hasOwn(now, tag)) delete next[tag];
    for (const [tag, value] of Object.entries(now)) if (before[tag] !== value) next[tag] = value;
    const names = Object.keys(next);
    const same = names.length === Object.keys(tags).length &&
      names.every((tag) => tags[tag] === next[tag]);
    if (!same) await this.#setTags(next);
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
      event_handlers: {},
    };
  }

  async #begin(): Promise<void> {
    void this.serf.closed.then(() => {
      if (this.#shutdown !== undefined) return;
      this.#warn("Serf shutdown detected, quitting");
      return this.shutdown();
    });
    this.serf.start();
    this.#parts = await startParts(this);
  }

  async #close(): Promise<void> {
    this.#info("requesting serf shutdown");
    try {
      await this.#parts?.disposeAsync();
      await this.serf.shutdown();
      await this.#transport.close();
      await this.#tagsFileWrites.catch(() => {});
      this.#info("shutdown complete");
    } finally {
      this.#markClosed();
      await Promise.all(this.#rpcServers.map((server) => server.close()));
    }
  }

  #receive(event: SerfEvent): void {
    this.#info(() => `Received event: ${titleOf(event)}`);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (cause) {
        this.log.write("ERR", "agent", "A listener failed on an event", { fields: { cause } });
      }
    }
  }

  async #setTags(tags: Record<string, string>): Promise<void> {
    try {
      await this.serf.setTags(tags);
    } catch (error) {
      if (error instanceof UpdateTimeoutError) await this.#saveTags();
      throw error;
    }
    await this.#saveTags();
  }

  /** Writes the tags that are in effect, one write after the other. */
  #saveTags(): Promise<void> {
    const { tagsFile } = this.config;
    if (tagsFile === "") return Promise.resolve();
    const write = (): Promise<void> => writeTagsFile(tagsFile, this.serf.tags());
    this.#tagsFileWrites = this.#tagsFileWrites.then(write, write);
    return this.#tagsFileWrites;
  }

  #info(text: string | (() => string)): void {
    this.log.write("INFO", "agent", text);
  }

  #warn(text: string): void {
    this.log.write("WARN", "agent", text);
  }
}

function setup<T>(work: () => Promise<T>): Promise<T> {
  return labelled("Failed to setup the Serf agent", work);
}

function begin<T>(work: () => Promise<T>): Promise<T> {
  return labelled("Failed to start the Serf agent: Error creating Serf", work);
}

async function labelled<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AgentStartError(`${label}: ${(cause as Error).message}`, { cause });
  }
}
