/**
 * One simulated machine with one process on it: its clock and its end of the network.
 *
 * @module
 */

import type {
  Address,
  Clock,
  Stream,
  Timer,
  Transport,
  TransportHandlers,
} from "../../../cluster/runtime.ts";
import type { EventKind } from "./event_queue.ts";
import type { Network } from "./network.ts";
import type { SimStream } from "./stream.ts";

/** Datagrams that a paused process's socket holds; what comes after is lost: 256 small ones. */
export const SOCKET_QUEUE = 256;

/** Why a closed transport refuses. */
const CLOSED = "use of closed network connection";

/** An event that waits for a paused process. */
export interface HeldEvent {
  readonly kind: EventKind;
  readonly from: number;
  readonly payload: unknown;
}

/** A timer of a host; `fn` is gone once it fired or was cancelled. */
export class SimTimer implements Timer {
  /** What the timer runs. */
  fn: (() => void) | undefined;

  constructor(fn: () => void) {
    this.fn = fn;
  }

  /** Stops the timer. */
  cancel(): void {
    this.fn = undefined;
  }
}

/** A machine. It is its process's clock and transport. */
export class SimHost implements Clock, Transport {
  /** Where packets for the process go. */
  readonly localAddress: Address;
  /** The position in the simulation's list of hosts; a restarted host gets a new one. */
  readonly index: number;
  /** The process runs (it may be paused). */
  running = true;
  /** The process stands still: it gets nothing, and its timers wait. */
  paused = false;
  /** What happened to the process while it was paused. */
  held: HeldEvent[] = [];
  /** How many of {@linkcode SimHost.held} are packets. */
  heldPackets = 0;
  /** Open streams of the process. */
  readonly streams = new Set<SimStream>();
  /** For each dial that is under way, how to make it fail. */
  readonly dials = new Set<(reason: string) => void>();
  /** What the process does with arrivals; set by `start`. */
  handlers: TransportHandlers | undefined;
  /** The transport has been closed. */
  closed = false;
  readonly #network: Network;

  constructor(network: Network, index: number, address: Address) {
    this.#network = network;
    this.index = index;
    this.localAddress = address;
  }

  /** The process can be reached. */
  get listening(): boolean {
    return this.running && !this.closed && this.handlers !== undefined;
  }

  /** Virtual milliseconds since the simulation began. */
  now(): number {
    return this.#network.now;
  }

  /** Runs `fn` in `ms` virtual milliseconds. */
  setTimer(ms: number, fn: () => void): Timer {
    const timer = new SimTimer(fn);
    this.#network.scheduleTimer(this, Math.max(0, ms), timer);
    return timer;
  }

  /** Starts delivery. */
  start(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }

  /** Hands a datagram to the network. */
  sendPacket(to: Address, bytes: Uint8Array): void {
    if (this.running && !this.closed) this.#network.sendPacket(this, to, bytes);
  }

  /** Opens a stream through the network. */
  dial(to: Address, timeoutMs: number): Promise<Stream> {
    if (this.closed) return Promise.reject(new Error(`dial tcp ${to.host}:${to.port}: ${CLOSED}`));
    return this.#network.dial(this, to, timeoutMs);
  }

  /** An IP address is itself; there are no names here. */
  resolve(host: string): Promise<string[]> {
    if (/^[\d.]+$/.test(host) || host.includes(":")) return Promise.resolve([host]);
    return Promise.reject(new Error(`lookup ${host}: no such host`));
  }

  /** Ends delivery and closes every stream. */
  close(): Promise<void> {
    this.closed = true;
    for (const stream of this.streams) stream.close();
    for (const fail of this.dials) fail(CLOSED);
    return Promise.resolve();
  }
}
