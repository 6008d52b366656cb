/**
 * Exchanging everything that two nodes know: when joining, and now and then with a random node
 * (docs/spec/memberlist.md 6.3, 9.4).
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import type { Metrics, Timer } from "../../runtime.ts";
import { type Core, ownRecord } from "../core/core.ts";
import { ShutdownError } from "../core/errors.ts";
import { type Destination, type MemberNode, NodeState } from "../core/node.ts";
import { pickRandom } from "../core/select.ts";
import { mergeRemoteState } from "../rules/merge.ts";
import { MessageType } from "../wire/messages.ts";
import { decodePushPull, encodePushPull, type PushPull, type StreamBody } from "../wire/stream.ts";
import { readReply } from "./stream_client.ts";
import { dialAndUse, type StreamExchange } from "./stream_exchange.ts";

/** Exchanges that are served at a time; one more is turned away (docs/spec/memberlist.md 6.3). */
const MAX_SERVED = 127;

/** In larger clusters exchanges are rarer: they cost more, and there are more nodes to make them. */
const SCALE_THRESHOLD = 32;

/** Milliseconds to wait before the next exchange, in a cluster of `nodeCount` nodes (docs/spec/memberlist.md 9.4). */
export function pushPullIntervalMs(intervalMs: number, nodeCount: number): number {
  if (nodeCount <= SCALE_THRESHOLD) return intervalMs;
  return intervalMs * (Math.ceil(Math.log2(nodeCount) - Math.log2(SCALE_THRESHOLD)) + 1);
}

/** How long after a join states are exchanged once more, in milliseconds: this, and up to as much again. */
const SETTLE_MS = 1_250;

/**
 * Exchanges states once more, a little after a join. When many join at the same moment, gossip is likely to miss
 * someone (each message misses a node with a chance of about e^-transmissions), who would be missing until the next
 * regular exchange, half a minute later or more.
 */
export function settleJoin(core: Core): Timer {
  const settle = (): void => core.timers.background(pushPull(core));
  return core.timers.set(SETTLE_MS * (1 + core.random.float()), settle);
}

/** Exchanges states with a random alive node. Never rejects: errors are logged. */
export async function pushPull(core: Core): Promise<void> {
  const own = ownRecord(core);
  const [peer] = pickRandom(
    core.random,
    core.table.records,
    1,
    (record) => record !== own && record.node.state === NodeState.alive,
  );
  if (peer === undefined) return;
  const startedAt = core.timers.now();
  try {
    await exchangeState(core, peer.node, false);
  } catch (error) {
    if (error instanceof ShutdownError) return;
    const reason = error instanceof Error ? error.message : String(error);
    core.logger.error(`Push/Pull with ${peer.node.name} failed: ${reason}`);
  } finally {
    core.metrics?.sample("memberlist.pushPullNode", core.timers.now() - startedAt);
  }
}

/**
 * How a join may differ from another.
 *
 * @example
 * ```ts
 * import type { ExchangeOptions } from "@skein/agent/cluster";
 *
 * const options: ExchangeOptions = { signal: AbortSignal.timeout(60_000) };
 * ```
 */
export interface ExchangeOptions {
  /** Ends the join; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the application's half of what a node answers. Default: the delegate's `mergeRemoteState`. */
  readonly mergeState?: (state: Uint8Array) => void;
}

/**
 * Exchanges states with the node at `to` and merges its state. Resolves with how many other nodes it told of. It answers
 * before it merges, so that success does not mean that it accepted ours. Rejects with the network's error, `RemoteError`,
 * `UnexpectedReplyError`, or why the state could not be merged.
 */
export async function exchangeState(
  core: Core,
  to: Destination,
  join: boolean,
  { signal, mergeState }: ExchangeOptions = {},
): Promise<number> {
  const { tcpTimeoutMs } = core.config;
  const where = joinHostPort(to.host, to.port);
  core.logger.debug(`Initiating push/pull sync with: ${to.name ?? ""} ${where}`);
  const remote = await dialAndUse(core, to, tcpTimeoutMs, async (exchange) => {
    core.metrics?.count("memberlist.tcp.connect");
    await exchange.send(encodeOwnState(core, join));
    exchange.setDeadline(tcpTimeoutMs);
    return await decodePushPull(await readReply(exchange, MessageType.pushPull));
  }, signal);
  signal?.throwIfAborted();
  const isNewcomer = core.table.size === 1;
  mergeRemoteState(core, remote, join, to.host, mergeState);
  if (isNewcomer) ownNewsFirst(core, remote);
  return remote.nodes.filter(({ Name }) => Name !== core.config.name).length;
}

/**
 * What a newcomer hears about its cluster is news to few others, and the peer that told it counts as one transmission.
 * So the only message that nobody else has, about the newcomer itself, is in its first packets, of however many nodes
 * it heard.
 */
function ownNewsFirst({ broadcasts, config }: Core, { nodes }: PushPull): void {
  for (const { Name } of nodes) {
    if (Name !== config.name) broadcasts.defer(Name);
  }
}

/**
 * Serves an exchange that another node began, from the body of its message on: answers with the own
 * state, then merges. `source` is the peer's address, for the log.
 */
export async function answerPushPull(
  core: Core,
  exchange: StreamExchange,
  body: StreamBody,
  source: string,
): Promise<void> {
  if (core.serving.pushPulls >= MAX_SERVED) {
    core.noise.write("error", source, `Too many pending push/pull requests: ${MAX_SERVED}`);
    return;
  }
  core.serving.pushPulls++;
  try {
    const remote: PushPull = await decodePushPull(body);
    exchange.setDeadline(core.config.tcpTimeoutMs);
    await exchange.send(encodeOwnState(core, remote.join));
    mergeRemoteState(core, remote, remote.join, source);
  } finally {
    core.serving.pushPulls--;
  }
}

function encodeOwnState(core: Core, join: boolean): Uint8Array {
  const encoded = encodePushPull({
    join,
    nodes: core.table.records.map(({ node }) => pushNodeState(node)),
    userState: core.delegate.localState(join),
  });
  if (core.metrics !== undefined) measureState(core, core.metrics, encoded.length);
  return encoded;
}

/** How large the own state is, and how many nodes of it are in which state. */
function measureState(core: Core, metrics: Metrics, bytes: number): void {
  const { records } = core.table;
  for (const [name, state] of Object.entries(NodeState)) {
    const { length } = records.filter(({ node }) => node.state === state);
    metrics.gauge(`memberlist.node.instances.${name}`, length);
  }
  metrics.gauge("memberlist.size.local", bytes);
}

function pushNodeState(node: MemberNode) {
  return {
    Name: node.name,
    Addr: node.addr,
    Port: node.port,
    Meta: node.meta,
    Incarnation: node.incarnation,
    State: node.state,
    Vsn: new Uint8Array(node.versions),
  };
}
