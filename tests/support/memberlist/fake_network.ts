/**
 * A network in memory that can lose packets and cut hosts off.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Address, Stream, Transport, TransportHandlers } from "../../../cluster/runtime.ts";
import type { ManualClock } from "../manual_clock.ts";

/** The port of every fake node. */
export const PORT = 7946;

/** A packet on its way. */
export interface SentPacket {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** A network in memory. Packets and streams take one millisecond each way. */
export class FakeNetwork {
  readonly clock: ManualClock;
  /** Every packet that was sent, also those that got lost. */
  readonly packets: SentPacket[] = [];
  /** Returns whether a packet gets lost. */
  loses: (packet: SentPacket) => boolean = () => false;
  readonly #hosts = new Map<string, FakeTransport>();
  readonly #silent = new Set<string>();

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  /** A transport at `host` and {@linkcode PORT}. `names` are the host names that it can resolve. */
  open(host: string, names: Record<string, string[]> = {}): FakeTransport {
    const transport = new FakeTransport(this, host, names);
    this.#hosts.set(host, transport);
    return transport;
  }

  /** Cuts a host off, as when its process is stopped. */
  silence(host: string): void {
    this.#silent.add(host);
  }

  /** Undoes {@linkcode silence}. */
  restore(host: string): void {
    this.#silent.delete(host);
  }

  /** The transport at an address, if it can be reached by `from`. */
  reach(from: string, to: Address): FakeTransport | undefined {
    if (this.isCut(from, to.host) || to.port !== PORT) return undefined;
    return this.#hosts.get(to.host);
  }

  /** Whether one of both hosts is cut off. */
  isCut(from: string, to: string): boolean {
    return this.#silent.has(from) || this.#silent.has(to);
  }

  /** Forgets a transport. */
  remove(host: string): void {
    this.#hosts.delete(host);
  }
}

/** One host of a {@linkcode FakeNetwork}. */
export class FakeTransport implements Transport {
  readonly localAddress: Address;
  handlers: TransportHandlers | undefined;
  readonly #network: FakeNetwork;
  readonly #names: Record<string, string[]>;
  readonly #streams = new Set<FakeStream>();
  #closed = false;

  constructor(network: FakeNetwork, host: string, names: Record<string, string[]>) {
    this.#network = network;
    this.#names = names;
    this.localAddress = { host, port: PORT };
  }

  start(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }

  sendPacket(to: Address, bytes: Uint8Array): void {
    if (this.#closed) return;
    assert.ok(bytes.length > 0, "A packet is empty");
    const network = this.#network;
    const packet = { from: this.localAddress.host, to: to.host, bytes: bytes.slice() };
    network.packets.push(packet);
    if (network.loses(packet)) return;
    network.clock.setTimer(1, () => {
      network.reach(packet.from, to)?.handlers?.packet(this.localAddress, packet.bytes);
    });
  }

  dial(to: Address, timeoutMs: number): Promise<Stream> {
    const { promise, resolve, reject } = Promise.withResolvers<Stream>();
    const { clock } = this.#network;
    const fail = (reason: string): void =>
      reject(new Error(`dial tcp ${to.host}:${to.port}: ${reason}`));
    if (this.#network.isCut(this.localAddress.host, to.host)) {
      clock.setTimer(timeoutMs, () => fail("i/o timeout"));
      return promise;
    }
    clock.setTimer(1, () => {
      const peer = this.#network.reach(this.localAddress.host, to);
      if (peer?.handlers === undefined) return fail("connect: connection refused");
      const { near, far } = streamPair(clock, this.localAddress, to);
      this.#streams.add(near);
      peer.#streams.add(far);
      peer.handlers.stream(far);
      resolve(near);
    });
    return promise;
  }

  resolve(host: string): Promise<string[]> {
    const found = this.#names[host];
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(new Error(`lookup ${host}: no such host`));
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#streams) stream.close();
    this.#network.remove(this.localAddress.host);
    return Promise.resolve();
  }

  /** Whether every stream that was opened or accepted here is closed. */
  get isIdle(): boolean {
    return [...this.#streams].every((stream) => stream.isClosed);
  }
}

/** One end of a stream in memory. */
export class FakeStream implements Stream {
  readonly remote: Address;
  peer: FakeStream | undefined;
  isClosed = false;
  readonly #clock: ManualClock;
  readonly #chunks: (Uint8Array | null)[] = [];
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;

  constructor(clock: ManualClock, remote: Address) {
    this.#clock = clock;
    this.remote = remote;
  }

  read(): Promise<Uint8Array | null> {
    if (this.isClosed) return Promise.reject(new Error("use of closed network connection"));
    const chunk = this.#chunks[0];
    if (chunk === undefined) {
      this.#reader = Promise.withResolvers();
      return this.#reader.promise;
    }
    if (chunk !== null) this.#chunks.shift();
    return Promise.resolve(chunk);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.isClosed) return Promise.reject(new Error("use of closed network connection"));
    const { peer } = this;
    const copy = bytes.slice();
    this.#clock.setTimer(1, () => peer?.receive(copy));
    return Promise.resolve();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#reader?.reject(new Error("use of closed network connection"));
    const { peer } = this;
    this.#clock.setTimer(1, () => peer?.receive(null));
  }

  receive(chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (chunk === null || reader === undefined) this.#chunks.push(chunk);
    reader?.resolve(chunk);
  }
}

/** Both ends of a stream from `dialler` to `acceptor`. */
export function streamPair(clock: ManualClock, dialler: Address, acceptor: Address) {
  const near = new FakeStream(clock, acceptor);
  const far = new FakeStream(clock, dialler);
  near.peer = far;
  far.peer = near;
  return { near, far };
}
