/**
 * The network between simulated hosts: what gets through, when, and how often.
 *
 * @module
 */

import type { Address, Stream } from "../../../cluster/runtime.ts";
import { EventKind, EventQueue } from "./event_queue.ts";
import type { SimHost, SimTimer } from "./host.ts";
import type { SeededRandom } from "./random.ts";
import { openStream } from "./stream.ts";
import type { TraceHash } from "./trace.ts";

/** How good the network is. Chances are in [0, 1]; hosts reach themselves without fault. */
export interface NetworkOptions {
  /** One-way time of a packet in milliseconds: drawn evenly between both. Default 0.2 to 2. */
  readonly latencyMs: readonly [number, number];
  /** Chance that a datagram, or a try to pass a piece of a stream, is lost. Default 0. */
  readonly loss: number;
  /** Chance that a datagram arrives twice. Default 0. */
  readonly duplicate: number;
  /** Chance that a datagram is held back for up to {@linkcode REORDER_MS}. Default 0. */
  readonly reorder: number;
}

/** What the network did. */
export interface NetworkStats {
  /** Datagrams that hosts sent. */
  sent: number;
  /** Bytes in them. */
  bytes: number;
  /** Datagrams that a process got. */
  delivered: number;
  /** Datagrams lost by chance. */
  lost: number;
  /** Datagrams that arrived twice. */
  duplicated: number;
  /** Datagrams that a partition stopped. */
  blocked: number;
  /** Datagrams to a dead, paused or unknown process that nobody got. */
  undelivered: number;
  /** Streams that were opened. */
  streams: number;
  /** Bytes that were written to streams. */
  streamBytes: number;
}

/** The options that are used where none are given. */
export const GOOD_NETWORK: NetworkOptions = {
  latencyMs: [0.2, 2],
  loss: 0,
  duplicate: 0,
  reorder: 0,
};

/** How long a reordered datagram is held back at most, in milliseconds. */
export const REORDER_MS = 20;

/** Time to the own machine, in milliseconds. */
const LOOPBACK_MS = 0.02;

/** Largest payload of a datagram in bytes, as with UDP over IPv4. */
const MAX_DATAGRAM = 65_507;

/** Faults, queue and figures of a simulation. Passive: `Simulation` takes the events out and runs them. */
export class Network {
  /** Virtual time in milliseconds. */
  now = 0;
  /** The chances of the network. They can be changed at any time. */
  options: NetworkOptions;
  /** What is going to happen. */
  readonly queue = new EventQueue();
  /** What has been done. */
  readonly stats: NetworkStats = {
    sent: 0,
    bytes: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    blocked: 0,
    undelivered: 0,
    streams: 0,
    streamBytes: 0,
  };
  /** The fingerprint of what happened. */
  readonly trace: TraceHash;
  readonly #random: SeededRandom;
  readonly #hosts = new Map<string, SimHost>();
  /** Per host, the hosts that nothing from it reaches. */
  readonly #cuts = new Map<string, Set<string>>();

  constructor(options: NetworkOptions, random: SeededRandom, trace: TraceHash) {
    this.options = options;
    this.#random = random;
    this.trace = trace;
  }

  /** Connects a host, in place of a dead one with the same address. */
  attach(host: SimHost): void {
    this.#hosts.set(host.localAddress.host, host);
  }

  /** Stops everything from each of `from` to each of `to`. */
  cut(from: readonly string[], to: readonly string[]): void {
    for (const source of from) {
      const targets = this.#cuts.get(source) ?? new Set();
      for (const target of to) if (target !== source) targets.add(target);
      this.#cuts.set(source, targets);
    }
  }

  /** Undoes every {@linkcode Network.cut}. */
  heal(): void {
    this.#cuts.clear();
  }

  /** Schedules a timer of `host`. */
  scheduleTimer(host: SimHost, ms: number, timer: SimTimer): void {
    this.queue.push(this.now + ms, EventKind.timer, host.index, host.index, timer);
  }

  /** Schedules work in the process of `host`; `from` is where the cause came from. */
  scheduleProcess(host: SimHost, ms: number, from: SimHost, work: () => void): void {
    this.queue.push(this.now + ms, EventKind.process, host.index, from.index, work);
  }

  /** Schedules work of the network or of the kernel of `host`. */
  scheduleKernel(host: SimHost, ms: number, from: SimHost, work: () => void): void {
    this.queue.push(this.now + ms, EventKind.kernel, host.index, from.index, work);
  }

  /** The host at an address, if its machine is up. */
  hostAt(address: Address): SimHost | undefined {
    const host = this.#hosts.get(address.host);
    return host?.localAddress.port === address.port ? host : undefined;
  }

  /** Sends one datagram. */
  sendPacket(from: SimHost, to: Address, bytes: Uint8Array): void {
    const { stats, options } = this;
    stats.sent++;
    stats.bytes += bytes.length;
    const target = this.hostAt(to);
    if (target === undefined || bytes.length > MAX_DATAGRAM) stats.undelivered++;
    else if (target === from) this.#deliver(target, from, LOOPBACK_MS, bytes);
    else if (this.#isCut(from, target)) stats.blocked++;
    else if (this.#happens(options.loss)) stats.lost++;
    else {
      this.#deliver(target, from, this.packetLatency(), bytes);
      if (this.#happens(options.duplicate)) {
        stats.duplicated++;
        this.#deliver(target, from, this.packetLatency(), bytes);
      }
    }
  }

  /** Opens a stream. */
  dial(from: SimHost, to: Address, timeoutMs: number): Promise<Stream> {
    this.stats.streams++;
    return openStream(this, from, to, timeoutMs);
  }

  /** Draws the one-way time of one datagram, in milliseconds. */
  packetLatency(): number {
    const held = this.#happens(this.options.reorder) ? this.#random.float() * REORDER_MS : 0;
    return this.latency() + held;
  }

  /** Draws a one-way time without reordering, in milliseconds. */
  latency(): number {
    const [least, most] = this.options.latencyMs;
    return least === most ? least : least + this.#random.float() * (most - least);
  }

  /** The way from one host to another in milliseconds, loops included. */
  streamLatency(from: SimHost, to: SimHost): number {
    return from === to ? LOOPBACK_MS : this.latency();
  }

  /** Whether one try to pass a piece of a stream gets through. */
  passes(from: SimHost, to: SimHost): boolean {
    return from === to || (!this.#isCut(from, to) && !this.#happens(this.options.loss));
  }

  #isCut(from: SimHost, to: SimHost): boolean {
    return this.#cuts.size > 0 &&
      this.#cuts.get(from.localAddress.host)?.has(to.localAddress.host) === true;
  }

  #happens(chance: number): boolean {
    return chance > 0 && this.#random.float() < chance;
  }

  #deliver(target: SimHost, from: SimHost, latencyMs: number, bytes: Uint8Array): void {
    // A copy, since the sender may use its buffer again and the receiver owns what it gets.
    const packet = bytes.slice();
    this.queue.push(this.now + latencyMs, EventKind.packet, target.index, from.index, packet);
  }
}
