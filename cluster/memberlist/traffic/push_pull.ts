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
import type { NodeRecord } from "../core/node_table.ts";
import { pickRandom } from "../core/select.ts";
import { NODES_PER_SLICE } from "../core/slices.ts";
import { mergeRemoteState } from "../rules/merge.ts";
import { isPacked, peers } from "../rules/room.ts";
import { encodeMessage, ErrorReply, MessageType, PushNodeState } from "../wire/messages.ts";
import {
  beginPushPull,
  decodePushPull,
  DEFAULT_STREAM_LIMITS,
  encodePushPull,
  type PushPull,
  type StreamBody,
} from "../wire/stream.ts";
import { readReply } from "./stream_client.ts";
import { dialAndUse, type StreamExchange } from "./stream_exchange.ts";

/** Exchanges that are served at a time; one more is turned away (docs/spec/memberlist.md 6.3). */
const MAX_SERVED = 127;

/** What one node of a peer's state takes when it is decoded, in bytes, beside the bytes in which it came. */
const DECODED_NODE_BYTES = 400;

/** An own state of more nodes takes more than three milliseconds to encode, and is made in pieces. */
const LONG_STATE_NODES = 4_096;

/** So long a long own state is sent as it was made, in milliseconds: what changed meanwhile is gossiped anyway. */
const OWN_STATE_MS = 1_000;

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
    peers(core),
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
  readonly mergeState?: (state: Uint8Array) => void | Promise<void>;
  /** Whether somebody asked for it, rather than the node trying by itself to reach those it knew. Default: of joins. */
  readonly chosen?: boolean;
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
  { signal, mergeState, chosen = join }: ExchangeOptions = {},
): Promise<number> {
  const { tcpTimeoutMs } = core.config;
  const where = joinHostPort(to.host, to.port);
  core.logger.debug(`Initiating push/pull sync with: ${to.name ?? ""} ${where}`);
  return await dialAndUse(core, to, tcpTimeoutMs, async (exchange) => {
    core.metrics?.count("memberlist.tcp.connect");
    await sendOwnState(core, exchange, join);
    exchange.setDeadline(tcpTimeoutMs);
    const remote = await readState(core, exchange, await readReply(exchange, MessageType.pushPull));
    exchange.hangUp();
    const isNewcomer = core.table.size === 1;
    signal?.throwIfAborted();
    await mergeRemoteState(core, remote, { join, chosen, mergeState }, to.host);
    if (isNewcomer) ownNewsFirst(core, remote);
    markAnswered(core, to);
    return remote.nodes.filter(({ Name }) => Name !== core.config.name).length;
  }, signal);
}

/** Whoever is at this address, and no invention. */
function markAnswered({ table }: Core, { name, host, port }: Destination): void {
  const isThere = ({ node }: NodeRecord): boolean => node.host === host && node.port === port;
  const named = table.get(name ?? "");
  const record = named !== undefined && isThere(named) ? named : table.records.find(isThere);
  if (record !== undefined) record.answered = true;
}

/** A peer's state. One that is long is read in pieces, and what it becomes in memory is taken from the budget. */
function readState(core: Core, exchange: StreamExchange, body: StreamBody): Promise<PushPull> {
  return decodePushPull(body, DEFAULT_STREAM_LIMITS, {
    size: NODES_PER_SLICE,
    next() {
      exchange.share.take(NODES_PER_SLICE * DECODED_NODE_BYTES);
      return core.slices.next();
    },
  });
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
 * state, then merges.
 */
export async function answerPushPull(
  core: Core,
  exchange: StreamExchange,
  body: StreamBody,
): Promise<void> {
  const { host: source } = exchange.remote;
  if (core.serving.pushPulls >= MAX_SERVED) {
    core.noise.write("error", source, `Too many pending push/pull requests: ${MAX_SERVED}`);
    return;
  }
  core.serving.pushPulls++;
  try {
    exchange.failure = "Failed to read remote state";
    const remote = await readState(core, exchange, body);
    if (remote.join && isUnwelcome(core, remote)) return await refuseJoin(core, exchange);
    exchange.setDeadline(core.config.tcpTimeoutMs);
    exchange.failure = "Failed to push local state";
    await sendOwnState(core, exchange, remote.join);
    exchange.hangUp();
    exchange.failure = "Failed push/pull merge";
    await mergeRemoteState(core, remote, { join: remote.join }, source);
  } finally {
    core.serving.pushPulls--;
  }
}

/** Whether whoever joins brings a node for which there is no room. */
function isUnwelcome(core: Core, { nodes }: PushPull): boolean {
  const isNew = ({ Name, State }: PushNodeState): boolean =>
    State === NodeState.alive && core.table.get(Name) === undefined;
  return nodes.some(isNew) && isPacked(core);
}

async function refuseJoin(core: Core, exchange: StreamExchange): Promise<void> {
  const text = `No room for another node: ${core.config.maxNodes} are known`;
  await exchange.send(encodeMessage(MessageType.err, ErrorReply, { Error: text }));
  core.noise.write("error", exchange.remote.host, `${text} from=${exchange.remote.host}`);
}

async function sendOwnState(core: Core, exchange: StreamExchange, join: boolean): Promise<void> {
  const isLong = core.table.size > LONG_STATE_NODES;
  const encoded = isLong ? await longOwnState(core, join) : encodeOwnState(core, join);
  if (core.metrics !== undefined) measureState(core, core.metrics, encoded.length);
  await exchange.send(encoded);
}

function encodeOwnState(core: Core, join: boolean): Uint8Array {
  return encodePushPull({
    join,
    nodes: core.table.records.map(({ node }) => pushNodeState(node)),
    userState: core.delegate.localState(join),
  });
}

/** Peers may ask as often as they like, so that a long state is made once a second at most, in pieces. */
function longOwnState(core: Core, join: boolean): Promise<Uint8Array> {
  const now = core.timers.now();
  const { ownState: made } = core;
  if (made !== undefined && made.join === join && now - made.at < OWN_STATE_MS) return made.encoded;
  const encoded = encodeInPieces(core, join);
  core.ownState = { at: now, join, encoded };
  core.timers.set(OWN_STATE_MS, () => {
    if (core.ownState?.encoded === encoded) core.ownState = undefined;
  });
  return encoded;
}

async function encodeInPieces(core: Core, join: boolean): Promise<Uint8Array> {
  const userState = core.delegate.localState(join);
  const records = [...core.table.records];
  const sizes = { join, count: records.length, userStateBytes: userState.length };
  const writer = beginPushPull(sizes);
  for (const [i, { node }] of records.entries()) {
    if (i > 0 && i % NODES_PER_SLICE === 0) await core.slices.next();
    PushNodeState.write(writer, pushNodeState(node));
  }
  writer.raw(userState);
  return writer.finish();
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
