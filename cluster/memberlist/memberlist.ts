/**
 * A member of a cluster: it knows the others, watches them, and passes on news (docs/spec/memberlist.md).
 *
 * @module
 */

import type { Address, Runtime, Timer } from "../runtime.ts";
import { checkConfig, type MemberlistConfig } from "./core/config.ts";
import { type Core, createCore, ownRecord } from "./core/core.ts";
import type { Delegate } from "./core/delegate.ts";
import {
  LeaveTimeoutError,
  LeftError,
  MemberlistConfigError,
  ShutdownError,
  UpdateTimeoutError,
} from "./core/errors.ts";
import { type Destination, isLive, type MemberNode } from "./core/node.ts";
import { GossipPace } from "./rounds/gossip_pace.ts";
import { startPeriodic } from "./rounds/periodic.ts";
import { probeNext } from "./rounds/probe.ts";
import { announceSelf } from "./rules/alive.ts";
import { announceLeave } from "./rules/dead.ts";
import { joinAddresses, resolveAddress } from "./traffic/join.ts";
import { receivePacket } from "./traffic/packet_receiver.ts";
import { sendMessages, tellUnsent, userMessage } from "./traffic/packet_sender.ts";
import { pingNode } from "./traffic/ping.ts";
import {
  type ExchangeOptions,
  pushPull,
  pushPullIntervalMs,
  settleJoin,
} from "./traffic/push_pull.ts";
import { sendUserStream } from "./traffic/stream_client.ts";
import { serveStream } from "./traffic/stream_server.ts";
import type { Keyring } from "./wire/keyring.ts";

/** How often the length of the queue is told, in milliseconds (docs/spec/memberlist.md 10, QueueCheckInterval). */
const QUEUE_CHECK_MS = 30_000;

/**
 * One member of a cluster.
 *
 * After {@linkcode Memberlist.start} it serves other nodes; {@linkcode Memberlist.join} makes it part of a
 * cluster; {@linkcode Memberlist.leave} tells the others that it goes, {@linkcode Memberlist.shutdown}
 * goes. Without `leave` the others notice that it fails.
 *
 * @example
 * ```ts
 * import { NetTransport, realRuntime } from "@skein/agent";
 * import {
 *   type Delegate,
 *   hostToAddr,
 *   Memberlist,
 *   memberlistConfig,
 * } from "@skein/agent/cluster";
 *
 * const quiet = { debug() {}, info() {}, warn() {}, error() {} };
 * const delegate: Delegate = {
 *   nodeMeta: () => new Uint8Array(0),
 *   notifyMessage() {},
 *   getBroadcasts: () => [],
 *   localState: () => new Uint8Array(0),
 *   mergeRemoteState() {},
 *   notifyJoin: ({ name }) => console.log(`${name} is there`),
 *   notifyLeave: ({ name }) => console.log(`${name} is gone`),
 *   notifyUpdate() {},
 *   notifyConflict() {},
 *   ackPayload: () => null,
 *   notifyPingComplete() {},
 * };
 *
 * async function open(name: string): Promise<Memberlist> {
 *   const network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger: quiet });
 *   const advertise = { addr: hostToAddr("127.0.0.1"), port: network.localAddress.port };
 *   const config = memberlistConfig(name, advertise, "lan");
 *   return new Memberlist(config, realRuntime(network, () => quiet), delegate);
 * }
 *
 * await using alpha = await open("alpha");
 * await using beta = await open("beta");
 * alpha.start();
 * beta.start();
 * await beta.join([`127.0.0.1:${alpha.localNode.port}`]);
 * console.log(beta.members().length); // 2
 * ```
 */
export class Memberlist implements AsyncDisposable {
  readonly #core: Core;
  #started = false;
  #leaving: Promise<void> | undefined;
  #settling: Timer | undefined;
  #shutdown: Promise<void> | undefined;

  /**
   * A member that does nothing yet.
   *
   * @throws {MemberlistConfigError} when the configuration cannot work.
   */
  constructor(config: MemberlistConfig, runtime: Runtime, delegate: Delegate) {
    checkConfig(config);
    this.#core = createCore(config, runtime, delegate);
  }

  /**
   * Makes the own node known to itself, begins to serve others and starts the periodic tasks. To be called
   * once. The delegate is told of the own node's join during the call.
   *
   * @throws {MemberlistConfigError} when the delegate refuses the own node.
   */
  start(): void {
    if (this.#started) throw new Error("Memberlist was started before");
    this.#started = true;
    const core = this.#core;
    const { config, random, table, timers } = core;
    const pace = new GossipPace(core);
    core.onNews = () => pace.soon();
    core.isThere = (node) => pingNode(core, node).then(() => true, () => false);
    announceSelf(core);
    if (table.size === 0) {
      throw new MemberlistConfigError("The own node was refused by the delegate");
    }
    adoptKnown(core, config.shared?.known ?? []);
    core.transport.start({
      packet: (from, bytes) => {
        if (!timers.closed) receivePacket(core, from, bytes);
      },
      stream: (stream) => timers.background(serveStream(core, stream)),
      unsent: (to, reason) => tellUnsent(core, to, reason),
    });
    startPeriodic(timers, random, {
      intervalMs: () => config.probeIntervalMs,
      run: (done) => probeNext(core, done),
    });
    startPeriodic(timers, random, {
      intervalMs: () => pushPullIntervalMs(config.pushPullIntervalMs, table.size),
      run: (done) => timers.background(pushPull(core).then(done)),
    });
    const { metrics } = core;
    if (metrics === undefined) return;
    startPeriodic(timers, random, {
      intervalMs: () => QUEUE_CHECK_MS,
      run: (done) => {
        metrics.sample("memberlist.queue.broadcasts", core.broadcasts.length);
        done();
      },
    });
  }

  /**
   * Exchanges states with the nodes at `addresses`, side by side: `[name/]host[:port]`, where the
   * port defaults to the own one. Resolves with how many exchanges succeeded; a host name may stand for
   * several nodes.
   *
   * Rejects with `JoinError` when there were addresses and none succeeded, with
   * {@linkcode ShutdownError} after a shutdown.
   */
  async join(addresses: readonly string[], options: ExchangeOptions = {}): Promise<number> {
    this.#assertRunning();
    const joined = await joinAddresses(this.#core, addresses, options);
    if (joined > 0) {
      // Of many joins in a row only the last one has to be settled.
      this.#settling?.cancel();
      this.#settling = settleJoin(this.#core);
    }
    return joined;
  }

  /** Where an address to join leads; a name may stand for several nodes. Rejects when it leads nowhere. */
  async resolve(address: string): Promise<Address[]> {
    this.#assertRunning();
    return await resolveAddress(this.#core, address);
  }

  /**
   * Tells the other nodes that this one leaves, and resolves when the news was passed on: at once when
   * there are no others. The node goes on to answer pings until {@linkcode Memberlist.shutdown}. A second
   * call gives the result of the first.
   *
   * Rejects with {@linkcode LeaveTimeoutError} after `timeoutMs`.
   */
  async leave(timeoutMs: number): Promise<void> {
    if (this.#leaving === undefined) {
      this.#assertRunning();
      const core = this.#core;
      core.own.leaving = true;
      const announce = (done: () => void): void => announceLeave(core, done);
      this.#leaving = this.#spread(timeoutMs, new LeaveTimeoutError(), announce);
    }
    await this.#leaving;
  }

  /**
   * Asks the delegate for the meta of the own node and tells the other nodes, and resolves when the news
   * was passed on: at once when there are no others.
   *
   * Rejects with {@linkcode UpdateTimeoutError} after `timeoutMs`, with {@linkcode LeftError} after
   * {@linkcode Memberlist.leave}.
   */
  async updateNode(timeoutMs: number): Promise<void> {
    this.#assertRunning();
    if (this.#core.own.leaving) throw new LeftError("Node has left, it has no meta to update");
    await this.#spread(
      timeoutMs,
      new UpdateTimeoutError(),
      (done) => announceSelf(this.#core, done),
    );
  }

  /** Closes the network and stops every task, telling nobody. Safe to call more than once. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close();
    return this.#shutdown;
  }

  /** Same as {@linkcode Memberlist.shutdown}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** The nodes that take part: alive and suspected ones, the own one included. */
  members(): MemberNode[] {
    return this.nodes().filter(isLive);
  }

  /** All nodes that are remembered, also dead and left ones. */
  nodes(): MemberNode[] {
    return this.#core.table.records.map((record) => record.node);
  }

  /** How many nodes take part, the own one included. */
  get numAlive(): number {
    let count = 0;
    for (const { node } of this.#core.table.records) if (isLive(node)) count++;
    return count;
  }

  /** How many nodes are remembered. */
  get numNodes(): number {
    return this.#core.table.size;
  }

  /** The own node; there from {@linkcode Memberlist.start} on. */
  get localNode(): MemberNode {
    return ownRecord(this.#core).node;
  }

  /** 0 when the own node is in good health; grows while its probes go unanswered. */
  get healthScore(): number {
    return this.#core.awareness.score;
  }

  /** The keys, if any; changes take effect at once. */
  get keyring(): Keyring | undefined {
    return this.#core.config.keyring;
  }

  /** How many state messages wait to be gossiped. */
  get queuedBroadcasts(): number {
    return this.#core.broadcasts.length;
  }

  /** To be called when the delegate has something new to gossip, so that it need not wait for the next tick. */
  gossipSoon(): void {
    this.#core.onNews();
  }

  /**
   * Sends one message to the application of the node at `to`, in a packet that may get lost.
   *
   * @throws {NodeNameRequiredError} when names are required and `to` has none.
   */
  sendTo(to: Destination, message: Uint8Array): void {
    if (!this.#core.timers.closed) sendMessages(this.#core, to, [userMessage(message)]);
  }

  /**
   * Sends one message to the application of the node at `to`, over a stream. Resolves when the network
   * has all of it; there is no answer. Rejects with the network's error.
   */
  async sendReliable(to: Destination, message: Uint8Array): Promise<void> {
    this.#assertRunning();
    await sendUserStream(this.#core, to, message);
  }

  /**
   * Pings the node `name` at `address` and resolves with the round trip in milliseconds. Rejects with
   * `PingTimeoutError` when there is no answer within the probe timeout.
   */
  async ping(name: string, address: Address): Promise<number> {
    this.#assertRunning();
    return await pingNode(this.#core, { host: address.host, port: address.port, name });
  }

  #assertRunning(): void {
    if (!this.#started) throw new Error("Memberlist is not started");
    if (this.#core.timers.closed) throw new ShutdownError();
  }

  /** Announces something and waits until it was sent often enough, unless nobody is there to hear it. */
  #spread(
    timeoutMs: number,
    timeout: Error,
    announce: (done: () => void) => void,
  ): Promise<void> {
    const { table, timers } = this.#core;
    const own = ownRecord(this.#core);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    announce(resolve);
    if (!table.records.some((record) => record !== own && isLive(record.node))) {
      return Promise.resolve();
    }
    const timer = timers.set(timeoutMs, () => reject(timeout), () => reject(new ShutdownError()));
    return promise.finally(() => timer.cancel());
  }

  async #close(): Promise<void> {
    const { streams, timers, transport } = this.#core;
    await using ending = new AsyncDisposableStack();
    ending.defer(() => transport.close());
    for (const stream of streams) ending.defer(() => stream.close());
    timers.close();
  }
}

/** Takes in nodes that are known from the start on, and tells nobody of them. */
function adoptKnown({ delegate, table, timers }: Core, known: readonly MemberNode[]): void {
  for (const node of known) {
    if (table.get(node.name) === undefined) delegate.notifyJoin(table.add(node, timers.now()).node);
  }
}
