/**
 * The parts of one memberlist that its functions share. {@linkcode Memberlist} builds it; everything else
 * in this folder gets it as first argument.
 *
 * @module
 */

import { Places } from "../../places.ts";
import type { Logger, Metrics, Random, Runtime, Stream, Transport } from "../../runtime.ts";
import { ExpansionBudget, PACKET_EXPANSION, STREAM_EXPANSION } from "../wire/expansion_budget.ts";
import { labelBytes } from "../wire/label.ts";
import type { PacketOptions } from "../wire/packet.ts";
import { ReceiveBudget } from "../wire/receive_budget.ts";
import { Acks } from "./acks.ts";
import { Awareness } from "./awareness.ts";
import { BroadcastQueue } from "./broadcast_queue.ts";
import type { MemberlistConfig } from "./config.ts";
import type { Delegate } from "./delegate.ts";
import { LimitedLogger } from "./limited_logger.ts";
import type { MemberNode } from "./node.ts";
import { type NodeRecord, NodeTable } from "./node_table.ts";
import { Slices } from "./slices.ts";
import { Timers } from "./timers.ts";

/** Exchanges of state that all joins together have under way; further ones wait. */
const MAX_JOINING = 64;

/** What the own node knows about itself alone. */
export interface OwnState {
  /** The highest incarnation given out so far; the first alive message has 1. */
  incarnation: number;
  /** Whether this node has begun to leave: it then lets itself be declared dead. */
  leaving: boolean;
}

/** An encoded own state. */
export interface OwnStateCopy {
  /** Clock milliseconds at which it was made. */
  readonly at: number;
  /** Whether it is part of a join. */
  readonly join: boolean;
  /** The message. */
  readonly encoded: Promise<Uint8Array>;
}

/** One memberlist's parts. */
export interface Core {
  /** The settings. */
  readonly config: MemberlistConfig;
  /** The application. */
  readonly delegate: Delegate;
  /** Chance. */
  readonly random: Random;
  /** The network. */
  readonly transport: Transport;
  /** Time. */
  readonly timers: Timers;
  /** The log for what this node does. */
  readonly logger: Logger;
  /** The log for what other machines provoke. */
  readonly noise: LimitedLogger;
  /** Where figures go, if anywhere. */
  readonly metrics: Metrics | undefined;
  /** Every node that is remembered. */
  readonly table: NodeTable;
  /** State messages that wait to be gossiped. */
  readonly broadcasts: BroadcastQueue;
  /** The local health. */
  readonly awareness: Awareness;
  /** Pings that wait for an answer. */
  readonly acks: Acks;
  /** The layers around messages. */
  readonly packetOptions: PacketOptions;
  /** The own node's counters. */
  readonly own: OwnState;
  /** Streams in use, so that a shutdown can end them. */
  readonly streams: Set<Stream>;
  /** Memory for what comes on streams. */
  readonly receiveBudget: ReceiveBudget;
  /** Turns for long work. */
  readonly slices: Slices;
  /** The own state as it was sent last, when it is so long that making it takes long. */
  ownState: OwnStateCopy | undefined;
  /** What compressed packets may grow to. */
  readonly packetExpansion: ExpansionBudget;
  /** What compressed streams may grow to. */
  readonly streamExpansion: ExpansionBudget;
  /** Whether news of members took most of the last packet, so that the application's messages go first in the next one. */
  newsTookMost: boolean;
  /** Clock milliseconds until which no node can make room for another. */
  packedUntil: number;
  /** Nodes that had answered at some moment, good until clock milliseconds `until`. */
  acquaintances: { readonly until: number; readonly records: readonly NodeRecord[] };
  /** Names of nodes that get a place if they answer. */
  readonly challenged: Set<string>;
  /** Pings a node that is not known, and resolves with whether it answered. */
  isThere: (node: MemberNode) => Promise<boolean>;
  /** Exchanges of state that joins begin. */
  readonly joining: Places;
  /** Called when something new waits to be gossiped. */
  onNews: () => void;
  /** What this node is doing for others right now. */
  readonly serving: {
    /** Exchanges of state that others began. */
    pushPulls: number;
  };
}

/** The parts of a memberlist with these settings, network and application; nothing runs yet. */
export function createCore(config: MemberlistConfig, runtime: Runtime, delegate: Delegate): Core {
  const { metrics, random, transport } = runtime;
  const timers = new Timers(runtime.clock);
  const logger = runtime.logger("memberlist");
  const table = new NodeTable(random, config.shared && ((node) => config.shared!.intern(node)));
  const { retransmitMult } = config;
  const core: Core = {
    config,
    delegate,
    random,
    transport,
    timers,
    logger,
    noise: new LimitedLogger(timers, logger),
    metrics,
    table,
    broadcasts: new BroadcastQueue({
      retransmitMult,
      nodeCount: () => table.size,
      onEnqueue: () => core.onNews(),
    }),
    awareness: new Awareness(
      config.awarenessMaxMultiplier,
      (score) => metrics?.gauge("memberlist.health.score", score),
    ),
    acks: new Acks(random),
    packetOptions: {
      label: labelBytes(config.label),
      keyring: config.keyring,
      verifyIncoming: config.verifyIncoming,
      verifyOutgoing: config.verifyOutgoing,
      compression: config.compression,
      encryptionVersion: config.protocolVersion === 1 ? 0 : 1,
      random,
    },
    own: { incarnation: 0, leaving: false },
    streams: new Set(),
    receiveBudget: new ReceiveBudget(),
    slices: new Slices(timers),
    ownState: undefined,
    packetExpansion: new ExpansionBudget(timers, PACKET_EXPANSION),
    streamExpansion: new ExpansionBudget(timers, STREAM_EXPANSION),
    newsTookMost: false,
    packedUntil: -Infinity,
    acquaintances: { until: -Infinity, records: [] },
    challenged: new Set(),
    isThere: () => Promise.resolve(false),
    joining: new Places(MAX_JOINING),
    onNews: () => {},
    serving: { pushPulls: 0 },
  };
  return core;
}

/** The record of the own node; it is there from the start on and is never forgotten. */
export function ownRecord(core: Core): NodeRecord {
  return core.table.get(core.config.name) as NodeRecord;
}

/** Whether ports in messages count; speaking protocol 1, everybody has the own port (docs/spec/memberlist.md 1.2). */
export function portOrOwn(core: Core, port: number): number {
  return port === 0 || core.config.protocolVersion < 2 ? core.transport.localAddress.port : port;
}
