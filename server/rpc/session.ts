/**
 * What the agent remembers of one RPC connection (agent.md 1.8).
 *
 * @module
 */

import { type EventHub, EventStream, type EventSubscriber } from "./event_hub.ts";
import type { EventFilter } from "../event_filter.ts";
import type { LogHub, LogStream } from "./log_hub.ts";
import type { LogLevel } from "../logging.ts";
import type { Output } from "./output.ts";

/** The state of one connection. */
export class Session implements EventSubscriber {
  /** The client's `ip:port`, its name in logs. */
  readonly client: string;
  /** The client's address without the port: what log limits go by. */
  readonly source: string;
  /** Where its answers and records go. */
  readonly output: Output;
  /** Whether the handshake was done. */
  shaken = false;
  /** Whether the agent's token was shown. */
  authenticated = false;
  readonly #events: EventHub;
  readonly #logs: LogHub;
  readonly #streams = new Map<number | bigint, EventStream>();
  #monitor: LogStream | undefined;
  #queryIds = 0;

  /** @param remote The client's address. */
  constructor(
    remote: { hostname: string; port: number },
    output: Output,
    events: EventHub,
    logs: LogHub,
  ) {
    const { hostname, port } = remote;
    this.source = hostname;
    this.client = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
    this.output = output;
    this.#events = events;
    this.#logs = logs;
  }

  /** How many event streams it has. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Whether it has a monitor. */
  get monitoring(): boolean {
    return this.#monitor !== undefined;
  }

  /** The next number for a query, from 1. */
  nextQueryId(): number {
    return ++this.#queryIds;
  }

  /** Whether an event stream has this Seq. */
  hasStream(seq: number | bigint): boolean {
    return this.#streams.has(seq);
  }

  /** Starts an event stream. */
  startStream(seq: number | bigint, wants: EventFilter): void {
    const stream = new EventStream(this, seq, wants);
    this.#streams.set(seq, stream);
    this.#events.add(stream);
  }

  /** Starts the monitor. */
  startMonitor(seq: number | bigint, level: LogLevel): void {
    this.#monitor = this.#logs.start(this.client, this.output, seq, level);
  }

  /** Ends the event stream and the monitor with this Seq, if there are any. */
  stop(seq: number | bigint): void {
    if (this.#monitor?.seq === seq) this.#stopMonitor();
    const stream = this.#streams.get(seq);
    if (stream === undefined) return;
    this.#streams.delete(seq);
    this.#events.remove(stream);
  }

  /** Ends everything that the connection has. */
  close(): void {
    this.#stopMonitor();
    for (const stream of this.#streams.values()) this.#events.remove(stream);
    this.#streams.clear();
    this.output.close();
  }

  #stopMonitor(): void {
    this.#monitor?.stop();
    this.#monitor = undefined;
  }
}
