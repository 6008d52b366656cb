/**
 * A Serf agent's core: members with tags, user events and queries on top of memberlist (docs/spec/serf.md).
 *
 * @module
 */

import type { Coordinate } from "../coordinate/mod.ts";
import { UpdateTimeoutError } from "../memberlist/core/errors.ts";
import { Memberlist } from "../memberlist/memberlist.ts";
import type { Runtime } from "../runtime.ts";
import { startBackgroundTasks } from "./background.ts";
import type { RunningQuery } from "./core/collector.ts";
import type { Core, SerfState } from "./core/core.ts";
import type { Counters } from "./core/counters.ts";
import { freeze } from "./core/member_table.ts";
import { createCore } from "./create.ts";
import { serfDelegate } from "./delegate.ts";
import type { EventPipeline } from "./events/pipeline.ts";
import { sendUserEvent } from "./events/user_events.ts";
import { warnOfManyKeys } from "./keys/answer.ts";
import { KeyManager } from "./keys/key_manager.ts";
import { forceLeave, leave } from "./members/depart.ts";
import { announceJoin } from "./members/intent_rules.ts";
import { checkSerfConfig, SERF_VERSIONS, type SerfConfig } from "./model/config.ts";
import { CoordinatesDisabledError, QueryError, SerfStateError } from "./model/errors.ts";
import type { Member } from "./model/member.ts";
import { INTERNAL_PREFIX, PING_QUERY } from "./model/query_names.ts";
import { copyTags, encodeTags, type Tags, tagsOf } from "./model/tags.ts";
import { mergeRemoteState } from "./push_pull.ts";
import { defaultQueryTimeout, type QueryParams, sendQuery } from "./queries/send.ts";
import { endRecord, startRejoin } from "./rejoin/rejoin.ts";
import { statsOf } from "./stats.ts";

/**
 * One member of a Serf cluster.
 *
 * After {@linkcode Serf.start} it serves others; {@linkcode Serf.join} makes it part of a cluster. A polite end is
 * {@linkcode Serf.leave} and then {@linkcode Serf.shutdown}; without `leave` the others see it fail.
 *
 * Events come synchronously, out of the middle of the work; a handler may call any method.
 *
 * @example
 * ```ts
 * import { NetTransport, realRuntime } from "@skein/agent";
 * import { hostToAddr, memberlistConfig, Serf, serfConfig } from "@skein/agent/cluster";
 *
 * const quiet = { debug() {}, info() {}, warn() {}, error() {} };
 *
 * async function open(nodeName: string): Promise<Serf> {
 *   const network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger: quiet });
 *   const advertise = { addr: hostToAddr("127.0.0.1"), port: network.localAddress.port };
 *   const memberlist = memberlistConfig(nodeName, advertise, "lan");
 *   const settings = serfConfig({ nodeName, memberlist, onEvent: ({ type }) => console.log(type) });
 *   return new Serf(settings, realRuntime(network, () => quiet));
 * }
 *
 * await using alpha = await open("alpha");
 * await using beta = await open("beta");
 * alpha.start();
 * beta.start();
 * await beta.join([`127.0.0.1:${alpha.memberlist.localNode.port}`]);
 * console.log(beta.members().map(({ name, status }) => `${name} ${status}`));
 * ```
 */
export class Serf implements AsyncDisposable {
  /** Resolves when the instance is shut down, also when it lost its name to another node (docs/spec/serf.md 14). */
  readonly closed: Promise<void>;
  /** The keys of the whole cluster. */
  readonly keys: KeyManager;
  readonly #core: Core;
  readonly #pipeline: EventPipeline;
  readonly #memberlist: Memberlist;
  readonly #markClosed: () => void;
  #tags: Tags;
  #shutdown: Promise<void> | undefined;

  /**
   * An instance that does nothing yet.
   *
   * @throws {SerfConfigError} when a setting is out of range
   * @throws {TagsTooLargeError} when the tags do not fit
   * @throws {MemberlistConfigError} when a setting of the layer below is out of range
   */
  constructor(config: SerfConfig, runtime: Runtime) {
    checkSerfConfig(config);
    this.#tags = copyTags(config.tags);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
    const { core, pipeline } = createCore(config, runtime, {
      cluster: () => this.#memberlist,
      shutdown: () => this.shutdown(),
    });
    this.#core = core;
    this.#pipeline = pipeline;
    this.keys = new KeyManager(core);
    const layer = {
      ...config.memberlist,
      name: config.nodeName,
      protocolVersion: 2,
      delegateVersions: { ...SERF_VERSIONS, current: config.protocolVersion },
    };
    const meta = () => encodeTags(this.#tags, config.protocolVersion);
    this.#memberlist = new Memberlist(layer, runtime, serfDelegate(core, meta));
  }

  /**
   * Becomes a cluster of one and begins to serve others. To be called once. The own `member-join` is told during
   * the call, unless it is coalesced.
   *
   * @throws {MemberlistConfigError} when the own address is outside the allowed networks
   */
  start(): void {
    this.#memberlist.start();
    startBackgroundTasks(this.#core);
    startRejoin(this.#core);
    warnOfManyKeys(this.#core);
  }

  /** Where the instance is in its life; an instance that has not started counts as alive. */
  get state(): SerfState {
    return this.#core.state;
  }

  /** All members that are remembered, in no particular order; a new array of frozen views. */
  members(): Member[] {
    return [...this.#core.members.all()];
  }

  /** The own member; there from {@linkcode Serf.start} on. */
  localMember(): Member {
    const { members, name, noise } = this.#core;
    const record = members.get(name);
    if (record !== undefined) return members.view(record);
    const { localNode } = this.#memberlist;
    return freeze(localNode, tagsOf(localNode, noise), "none");
  }

  /** Grows with each change that {@linkcode Serf.members} shows. */
  get version(): number {
    return this.#core.members.version;
  }

  /**
   * Exchanges states with the agents at `addresses`, side by side: `[name/]host[:port]`. Resolves with how many
   * exchanges succeeded.
   *
   * Rejects with `JoinError` when there were addresses and none succeeded, with {@linkcode SerfStateError} after a
   * leave or shutdown, and with the reason of the signal when that aborts.
   *
   * @param options `ignoreOld`: do not tell user events of before the join. Default false. `signal`: ends the join
   */
  async join(
    addresses: string[],
    options: { ignoreOld?: boolean; signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    const { ignoreOld = false, signal } = options;
    const core = this.#core;
    if (core.state !== "alive") throw new SerfStateError("Serf can't Join after Leave or Shutdown");
    const mergeState = (state: Uint8Array): void => mergeRemoteState(core, state, ignoreOld);
    const count = await this.#memberlist.join(addresses, { signal, mergeState });
    // A leave that began meanwhile must not be taken back.
    if (count > 0 && this.state === "alive") announceJoin(core, core.memberClock.time());
    return count;
  }

  /**
   * Leaves the cluster: the others will see `left`, not `failed`. Goes on to serve them until
   * {@linkcode Serf.shutdown}. Takes the propagate delay and at most two broadcast timeouts.
   *
   * Rejects with `LeaveInProgressError` while another leave is under way, with {@linkcode SerfStateError} after a
   * shutdown.
   */
  leave(): Promise<void> {
    return leave(this.#core);
  }

  /**
   * Makes a member leave: a failed one counts as left, one that is alive objects. An unknown name is no error.
   *
   * Rejects with {@linkcode ForceLeaveTimeoutError} when the news is not sent within the broadcast timeout.
   *
   * @param options `prune`: every agent forgets the member. Default false
   */
  forceLeave(node: string, options: { prune?: boolean } = {}): Promise<void> {
    return forceLeave(this.#core, node, options.prune ?? false);
  }

  /**
   * Ends the instance without telling anyone; coalesced events are handed out. Safe to call more than once. Not to
   * be awaited in an event handler that `shutdown` itself calls.
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close();
    return this.#shutdown;
  }

  /** Same as {@linkcode Serf.shutdown}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #close(): Promise<void> {
    const core = this.#core;
    if (core.state !== "left") core.log.warn("Shutdown without a Leave");
    core.state = "shutdown";
    try {
      await this.#memberlist.shutdown();
      await core.keySaver.idle();
    } finally {
      core.timers.close();
      core.running.close();
      this.#pipeline.flush();
      await endRecord(core);
      this.#markClosed();
    }
  }

  /**
   * Fires a user event. The own application gets it during the call, unless it is coalesced.
   *
   * @param coalesce whether a newer event of the same name may replace this one
   * @throws {EventTooLargeError} when name and payload, or the whole message, exceed `userEventSizeLimit`
   */
  userEvent(name: string, payload: Uint8Array | null, coalesce: boolean): void {
    sendUserEvent(this.#core, name, payload, coalesce);
  }

  /**
   * Asks the cluster. The own application is asked during the call.
   *
   * @throws {QueryError} when the message exceeds `querySizeLimit`, too many queries are running, the protocol version
   * is below 4, or the name is one that agents keep for themselves: of those that begin with {@linkcode
   * INTERNAL_PREFIX} only `_serf_ping` without a payload may be asked
   */
  query(name: string, payload: Uint8Array | null, params: QueryParams = {}): RunningQuery {
    if (name.startsWith(INTERNAL_PREFIX) && !(name === PING_QUERY && payload === null)) {
      throw new QueryError(`Queries cannot contain the '${INTERNAL_PREFIX}' prefix`);
    }
    return sendQuery(this.#core, name, payload, params);
  }

  /** The timeout of a query that names none, in milliseconds, for the cluster as it is now. */
  get defaultQueryTimeoutMs(): number {
    return defaultQueryTimeout(this.#core);
  }

  /**
   * Replaces the own tags and resolves when the news was gossiped.
   *
   * Rejects with {@linkcode TagsTooLargeError}, with `LeftError` and with `ShutdownError`, and the tags are as they were
   * then; with `UpdateTimeoutError` after the broadcast timeout, and they stay in effect.
   */
  async setTags(tags: Tags): Promise<void> {
    this.checkTags(tags);
    const before = this.#tags;
    this.#tags = copyTags(tags);
    try {
      await this.#memberlist.updateNode(this.#core.config.broadcastTimeoutMs);
    } catch (error) {
      if (!(error instanceof UpdateTimeoutError)) this.#tags = before;
      throw error;
    }
  }

  /**
   * Looks whether tags can be set, and sets none.
   *
   * @throws {TagsTooLargeError} when they do not fit
   */
  checkTags(tags: Tags): void {
    encodeTags(tags, this.#core.config.protocolVersion);
  }

  /** The own tags, a new object. */
  tags(): Record<string, string> {
    return { ...this.#tags };
  }

  /**
   * Where the own node is in the space of network coordinates.
   *
   * @throws {CoordinatesDisabledError} when `coordinates` is off
   */
  coordinate(): Coordinate {
    const { coordinates } = this.#core;
    if (coordinates === undefined) throw new CoordinatesDisabledError("Coordinates are disabled");
    return coordinates.own;
  }

  /**
   * Where a member is: the own one, or one that answered a ping of this node. `undefined` for others, and when
   * `coordinates` is off.
   */
  cachedCoordinate(node: string): Coordinate | undefined {
    const { coordinates, name } = this.#core;
    return node === name ? coordinates?.own : coordinates?.get(node);
  }

  /** Figures for people, as text (docs/spec/serf.md 17.1). */
  stats(): Record<string, string> {
    const { healthScore } = this.#memberlist;
    return statsOf(this.#core, { healthScore, encrypted: this.encrypted });
  }

  /** What happened how often since the start. */
  get counters(): Readonly<Counters> {
    return this.#core.tally.counters;
  }

  /** Whether there are keys to encrypt with. */
  get encrypted(): boolean {
    return this.#memberlist.keyring !== undefined;
  }

  /** The layer below. */
  get memberlist(): Memberlist {
    return this.#memberlist;
  }
}
