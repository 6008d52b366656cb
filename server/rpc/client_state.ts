/**
 * What the agent remembers of one RPC connection (docs/spec/agent.md 1.8).
 *
 * @module
 */

import type { RunningQuery } from "../../cluster/serf/mod.ts";
import type { EventFilter } from "../../cluster/serf/model/event_filter.ts";
import type { Writer } from "../../protocol/msgpack/mod.ts";
import type { LogLevel } from "../logging/log.ts";
import type { Peer } from "../net/conversation.ts";
import { pause } from "../net/deadline.ts";
import type { LossCount } from "../net/losses.ts";
import { type EventHub, EventStream, type EventSubscriber } from "./event_hub.ts";
import type { LogHub, LogStream, LogSubscriber } from "./log_hub.ts";
import { PendingQueries, type Respond } from "./pending_queries.ts";
import { sendQueryRecords } from "./query_records.ts";

/** The state of one connection. */
export class ClientState implements EventSubscriber, LogSubscriber {
  /** The client. */
  readonly peer: Peer<Writer>;
  /** Whether the handshake was done. */
  shaken = false;
  /** Whether the agent's token was shown. */
  authenticated = false;
  /** The events that it lost because it read too slowly. */
  readonly lostEvents: LossCount = { total: 0, told: 0 };
  /** The log lines that it lost because it read too slowly. */
  readonly lostLogs: LossCount = { total: 0, told: 0 };
  readonly #events: EventHub;
  readonly #logs: LogHub;
  #streams: Map<number | bigint, EventStream> | undefined;
  #queries: Set<RunningQuery> | undefined;
  #pending: PendingQueries | undefined;
  #ended: AbortController | undefined;
  #monitor: LogStream | undefined;

  /** A client that has just connected. */
  constructor(peer: Peer<Writer>, events: EventHub, logs: LogHub) {
    this.peer = peer;
    this.#events = events;
    this.#logs = logs;
  }

  /** How many event streams it has. */
  get streams(): number {
    return this.#streams?.size ?? 0;
  }

  /** Whether it has a monitor. */
  get monitoring(): boolean {
    return this.#monitor !== undefined;
  }

  /** How many queries it has running. */
  get queries(): number {
    return this.#queries?.size ?? 0;
  }

  /** The queries that its streams delivered. */
  get pending(): PendingQueries {
    return this.#pending ??= new PendingQueries();
  }

  /** How many queries it may still answer. */
  get pendingQueries(): number {
    return this.#pending?.size ?? 0;
  }

  /** How to answer a query that one of its streams delivered; `undefined` when it is unknown or over. */
  pendingQuery(id: number | bigint): Respond | undefined {
    return this.#pending?.get(id);
  }

  /** Its own figures for `stats`. */
  stats(): Record<string, string> {
    return {
      own_dropped_events: String(this.lostEvents.total),
      own_dropped_logs: String(this.lostLogs.total),
    };
  }

  /** Whether an event stream has this Seq. */
  hasStream(seq: number | bigint): boolean {
    return this.#streams?.has(seq) ?? false;
  }

  /** Starts an event stream. */
  startStream(seq: number | bigint, wants: EventFilter): void {
    const stream = new EventStream(this, seq, wants);
    this.#streams ??= new Map();
    this.#streams.set(seq, stream);
    this.#events.add(stream);
  }

  /** Starts the monitor. */
  startMonitor(seq: number | bigint, level: LogLevel): void {
    this.#monitor = this.#logs.start(this, seq, level);
  }

  /** Sends what comes back from a query. Resolves when it has ended. */
  async startQuery(seq: number | bigint, query: RunningQuery): Promise<void> {
    const queries = this.#queries ??= new Set();
    queries.add(query);
    this.#ended ??= new AbortController();
    try {
      await sendQueryRecords(this.peer.outbox, seq, query, this.#ended.signal);
    } finally {
      queries.delete(query);
    }
  }

  /** Resolves after `ms` milliseconds, or when the connection ends. */
  pause(ms: number): Promise<void> {
    this.#ended ??= new AbortController();
    return pause(ms, this.#ended.signal);
  }

  /** Ends the event stream and the monitor with this Seq, if there are any. */
  stop(seq: number | bigint): void {
    if (this.#monitor?.seq === seq) this.#stopMonitor();
    const stream = this.#streams?.get(seq);
    if (stream === undefined) return;
    this.#streams?.delete(seq);
    this.#events.remove(stream);
  }

  /** Ends streams, monitor and queries. What waits for the client is still sent. Safe to call again. */
  end(): void {
    this.#stopMonitor();
    for (const stream of this.#streams?.values() ?? []) this.#events.remove(stream);
    this.#streams = undefined;
    for (const query of this.#queries ?? []) query.close();
    this.#ended?.abort();
    this.#pending?.close();
  }

  #stopMonitor(): void {
    this.#monitor?.stop();
    this.#monitor = undefined;
  }
}
