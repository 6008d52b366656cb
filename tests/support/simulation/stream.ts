/**
 * Simulated TCP: ordered and whole, late when pieces are lost, broken when the other end is.
 *
 * @module
 */

import type { Address, Stream } from "../../../cluster/runtime.ts";
import type { SimHost } from "./host.ts";
import type { Network } from "./network.ts";

/** First wait before a lost piece of a stream is sent again; doubles each time (RFC 6298 on Linux). */
const RETRANSMIT_MS = 200;

/** Tries before a stream is given up: the last wait ends after about 51 s. */
const TRIES = 8;

/** First wait before a lost connection request is sent again; doubles each time (Linux: 1, 2, 4 s ...). */
const DIAL_RETRY_MS = 1_000;

/** How many ports above the fixed ones a dialled stream can seem to come from. */
const EPHEMERAL = { first: 32_768, count: 28_232 } as const;

/** What travels on a stream: bytes, the end, or the news that the other side is gone. */
type Segment = Uint8Array | "end" | "reset";

/** One end of a simulated stream. */
export class SimStream implements Stream {
  /** The other end. */
  readonly remote: Address;
  /** When bytes last reached the machine of this end, whether its process has read them or not; in virtual milliseconds. */
  arrivedAt = -Infinity;
  readonly #network: Network;
  readonly #host: SimHost;
  #peer: SimStream | undefined;
  readonly #received: Uint8Array[] = [];
  #ended = false;
  #closed = false;
  #failure: Error | undefined;
  #reader: { resolve(chunk: Uint8Array | null): void; reject(error: Error): void } | undefined;
  #unsent: Segment[] = [];
  #sending = false;

  constructor(network: Network, host: SimHost, remote: Address) {
    this.#network = network;
    this.#host = host;
    this.remote = remote;
    host.streams.add(this);
  }

  /** Makes two streams the ends of one. */
  static join(a: SimStream, b: SimStream): void {
    a.#peer = b;
    b.#peer = a;
  }

  /** The next bytes; `null` at the end. */
  read(): Promise<Uint8Array | null> {
    if (this.#closed) return Promise.reject(this.#error("read", CLOSED));
    if (this.#reader !== undefined) return Promise.reject(this.#error("read", "already reading"));
    const chunk = this.#received.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reader = { resolve, reject });
  }

  /** Hands `bytes` to the network. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(this.#error("write", CLOSED));
    if (this.#failure !== undefined) return Promise.reject(this.#error("write", "broken pipe"));
    this.#network.stats.streamBytes += bytes.length;
    if (bytes.length > 0) this.#send(bytes.slice());
    return Promise.resolve();
  }

  /** Closes both directions. As with TCP, bytes that nobody read turn the end into a reset. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.streams.delete(this);
    if (this.#failure === undefined) this.#send(this.#received.length > 0 ? "reset" : "end");
    this.#received.length = 0;
    this.#reader?.reject(this.#error("read", CLOSED));
    this.#reader = undefined;
  }

  /** The process died: the kernel tells the peer, nobody here is told. */
  abandon(): void {
    this.#closed = true;
    this.#reader = undefined;
    this.#send("reset");
  }

  #send(segment: Segment): void {
    this.#unsent.push(segment);
    if (!this.#sending) this.#sendNext();
  }

  #sendNext(): void {
    const segments = this.#unsent;
    const peer = this.#peer;
    this.#sending = segments.length > 0 && peer !== undefined;
    if (!this.#sending || peer === undefined) return;
    this.#unsent = [];
    let tries = 0;
    const arrive = (): void => {
      if (this.#network.passes(this.#host, peer.#host)) {
        if (segments[0] instanceof Uint8Array) peer.arrivedAt = this.#network.now;
        this.#network.scheduleProcess(peer.#host, 0, this.#host, () => {
          for (const segment of segments) peer.#receive(segment);
        });
        this.#sendNext();
      } else if (++tries < TRIES) {
        const wait = RETRANSMIT_MS * 2 ** (tries - 1);
        this.#network.scheduleKernel(peer.#host, wait, this.#host, arrive);
      } else {
        this.#fail("connection timed out");
        peer.#fail("connection timed out");
      }
    };
    const latency = this.#network.streamLatency(this.#host, peer.#host);
    this.#network.scheduleKernel(peer.#host, latency, this.#host, arrive);
  }

  #receive(segment: Segment): void {
    if (segment === "reset") this.#fail("connection reset by peer");
    else if (segment === "end") {
      this.#ended = true;
      this.#reader?.resolve(null);
      this.#reader = undefined;
    } else if (this.#closed) this.#send("reset");
    else {
      this.#network.trace.bytes(segment);
      if (this.#reader === undefined) this.#received.push(segment);
      else this.#reader.resolve(segment);
      this.#reader = undefined;
    }
  }

  #fail(reason: string): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#failure = this.#error("read", reason);
    this.#reader?.reject(this.#failure);
    this.#reader = undefined;
  }

  #error(action: string, reason: string): Error {
    return new Error(`${action} tcp ${this.remote.host}:${this.remote.port}: ${reason}`);
  }
}

const CLOSED = "use of closed network connection";

/** Opens a stream from `from` to whoever listens at `to`. Rejects as the real network does. */
export function openStream(
  network: Network,
  from: SimHost,
  to: Address,
  timeoutMs: number,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    let settled = false;
    let retryMs = DIAL_RETRY_MS;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      timeout.cancel();
      from.dials.delete(fail);
      return true;
    };
    const fail = (reason: string): void => {
      if (settle()) reject(new Error(`dial tcp ${to.host}:${to.port}: ${reason}`));
    };
    const timeout = from.setTimer(timeoutMs, () => fail("i/o timeout"));
    from.dials.add(fail);
    const target = network.hostAt(to);
    if (target === undefined) return;
    const request = (): void => {
      if (settled) return;
      if (!network.passes(from, target) || !network.passes(target, from)) {
        network.scheduleKernel(target, retryMs, from, request);
        retryMs *= 2;
        return;
      }
      const back = network.streamLatency(target, from);
      if (!target.listening || network.hostAt(to) !== target) {
        network.scheduleProcess(from, back, target, () => fail("connect: connection refused"));
        return;
      }
      const port = EPHEMERAL.first + network.stats.streams % EPHEMERAL.count;
      const dialled = new SimStream(network, from, to);
      const accepted = new SimStream(network, target, { host: from.localAddress.host, port });
      SimStream.join(dialled, accepted);
      network.scheduleProcess(target, 0, from, () => target.handlers?.stream(accepted));
      network.scheduleProcess(from, back, target, () => {
        if (settle()) resolve(dialled);
        else dialled.close();
      });
    };
    network.scheduleKernel(target, network.streamLatency(from, target), from, request);
  });
}
