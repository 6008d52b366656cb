/**
 * The parts of one Serf instance that its functions share. {@linkcode Serf} builds it; everything else in this
 * folder gets it as first argument.
 *
 * @module
 */

import type { LimitedLogger } from "../../memberlist/core/limited_logger.ts";
import type { Destination, MemberNode } from "../../memberlist/core/node.ts";
import type { Timers } from "../../memberlist/core/timers.ts";
import type { ExchangeOptions } from "../../memberlist/traffic/push_pull.ts";
import type { Logger, Metrics, Random } from "../../runtime.ts";
import type { SerfConfig } from "../model/config.ts";
import type { SerfEvent } from "../model/event.ts";
import type { LamportClock } from "../model/lamport.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { CoordinateTable } from "./coordinate_table.ts";
import type { Tally } from "./counters.ts";
import type { EventRing } from "./event_ring.ts";
import type { IntentBuffer } from "./intents.ts";
import type { KeySaver } from "./key_saver.ts";
import type { MemberTable } from "./member_table.ts";
import type { QueryRing } from "./query_ring.ts";
import type { RunningQueries } from "./running_queries.ts";

/**
 * Where the instance is in its life (docs/spec/serf.md 6.1).
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import type { SerfState } from "@skein/agent/cluster";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const state: SerfState = agent.serf.state;
 * console.log(state); // alive
 * ```
 */
export type SerfState = "alive" | "leaving" | "left" | "shutdown";

/** What Serf uses of the memberlist below it. */
export interface ClusterLayer {
  /** The own node. */
  readonly localNode: MemberNode;
  /** Nodes that are alive or suspect, the own one included. */
  readonly numAlive: number;
  /** Something new waits to be gossiped. */
  gossipSoon(): void;
  /** Sends a user message in a packet of its own. */
  sendTo(to: Destination, userMessage: Uint8Array): void;
  /** Exchanges state with each address; resolves with how many it reached, rejects when it reached none. */
  join(addresses: string[], options?: ExchangeOptions): Promise<number>;
  /** Tells the cluster that the node leaves; rejects when that takes longer than `timeoutMs`. */
  leave(timeoutMs: number): Promise<void>;
}

/** One instance's parts. */
export interface Core {
  /** The settings. */
  readonly config: SerfConfig;
  /** The own node's name. */
  readonly name: string;
  /** The log for what this node does. */
  readonly log: Logger;
  /** The log for what other machines provoke. */
  readonly noise: LimitedLogger;
  /** Chance. */
  readonly random: Random;
  /** Time. */
  readonly timers: Timers;
  /** Times of join and leave intents. */
  readonly memberClock: LamportClock;
  /** Times of user events. */
  readonly eventClock: LamportClock;
  /** Times of queries. */
  readonly queryClock: LamportClock;
  /** Every member that is remembered. */
  readonly members: MemberTable;
  /** Intents about nodes that are not members. */
  readonly intents: IntentBuffer;
  /** User events of late. */
  readonly events: EventRing;
  /** Queries of late. */
  readonly queries: QueryRing;
  /** Own queries that wait for answers. */
  readonly running: RunningQueries;
  /** Changes keys and keeps them. */
  readonly keySaver: KeySaver;
  /** What waits to be gossiped. */
  readonly broadcasts: Broadcasts;
  /** What happened how often. */
  readonly tally: Tally;
  /** Where figures go, if anywhere. */
  readonly metrics: Metrics | undefined;
  /** Network coordinates; `undefined` when they are off. */
  readonly coordinates: CoordinateTable | undefined;
  /** The layer below. */
  readonly cluster: ClusterLayer;
  /** Where the instance is in its life. */
  state: SerfState;
  /** Hands an event to the application, by way of the coalescers. */
  emit(event: SerfEvent): void;
  /** Ends the instance. */
  shutdown(): Promise<void>;
}

/** Resolves after `ms` milliseconds, or at shutdown. */
export function pause(core: Core, ms: number): Promise<void> {
  return new Promise((resolve) => {
    core.timers.set(ms, resolve, resolve);
  });
}
