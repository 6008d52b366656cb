/**
 * What the outside world gives the cluster core: time, chance, a network and a place to log.
 *
 * Nothing in `cluster/` or `protocol/` reads a wall clock, draws a random number or opens a socket by
 * itself. `server/` supplies the real implementations; the simulator in `tests/simulation/` supplies
 * virtual ones, so that one seed gives one run.
 *
 * @module
 */

/**
 * A pending timer.
 *
 * @example
 * ```ts
 * import type { Clock, Timer } from "@skein/agent/cluster";
 *
 * function soon(clock: Clock, fn: () => void): Timer {
 *   return clock.setTimer(100, fn);
 * }
 * ```
 */
export interface Timer {
  /** Stops the timer; its function will not run. Calling it again, or after it fired, does nothing. */
  cancel(): void;
}

/**
 * Monotonic time in milliseconds.
 *
 * @example
 * ```ts
 * import type { Clock } from "@skein/agent/cluster";
 *
 * let time = 0;
 * const stopped: Clock = { now: () => time, setTimer: () => ({ cancel() {} }) };
 * time += 5;
 * console.log(stopped.now()); // 5
 * ```
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Runs `fn` once, `ms` milliseconds from now (at once on the next turn when `ms` is 0 or less). */
  setTimer(ms: number, fn: () => void): Timer;
}

/**
 * A source of random numbers.
 *
 * @example
 * ```ts
 * import type { Random } from "@skein/agent/cluster";
 *
 * const fixed: Random = { float: () => 0.5, bytes: (length) => new Uint8Array(length) };
 * console.log(fixed.float());
 * ```
 */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** `length` random bytes, fit for nonces and keys when the source is the real one. */
  bytes(length: number): Uint8Array;
}

/**
 * Where a packet or stream goes to or comes from.
 *
 * @example
 * ```ts
 * import type { Address } from "@skein/agent/cluster";
 *
 * const address: Address = { host: "10.0.0.5", port: 7946 };
 * console.log(`${address.host}:${address.port}`);
 * ```
 */
export interface Address {
  /** A textual IP address: dotted IPv4 (also for IPv4-mapped IPv6) or IPv6 without brackets. */
  readonly host: string;
  /** Port, 1 to 65535. */
  readonly port: number;
}

/**
 * One reliable, ordered byte stream (a TCP connection or its simulated twin).
 *
 * @example
 * ```ts
 * import type { Stream } from "@skein/agent/cluster";
 *
 * async function readAll(stream: Stream): Promise<number> {
 *   let bytes = 0;
 *   for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
 *     bytes += chunk.length;
 *   }
 *   stream.close();
 *   return bytes;
 * }
 * ```
 */
export interface Stream {
  /** The other end. */
  readonly remote: Address;
  /** The next chunk of bytes, or `null` once the other end has finished. Rejects when the stream breaks. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when all of `bytes` has been handed to the network. Rejects when the stream is broken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes both directions. A pending `read` or `write` ends. Safe to call more than once. */
  close(): void;
}

/**
 * What a {@linkcode Transport} calls when something arrives.
 *
 * @example
 * ```ts
 * import type { TransportHandlers } from "@skein/agent/cluster";
 *
 * const deaf: TransportHandlers = { packet() {}, stream: (stream) => stream.close() };
 * ```
 */
export interface TransportHandlers {
  /** A datagram. `bytes` belongs to the receiver. Called synchronously, in arrival order. */
  packet(from: Address, bytes: Uint8Array): void;
  /** An accepted stream. The handler owns it and must close it. */
  stream(stream: Stream): void;
}

/**
 * The network: unreliable packets and reliable streams on one address.
 *
 * @example
 * ```ts
 * import type { Transport } from "@skein/agent/cluster";
 *
 * const nowhere: Transport = {
 *   localAddress: { host: "10.0.0.5", port: 7946 },
 *   start() {},
 *   sendPacket() {},
 *   dial: () => Promise.reject(new Error("Nobody is there")),
 *   resolve: (host) => Promise.resolve([host]),
 *   close: () => Promise.resolve(),
 * };
 * console.log(nowhere.localAddress.port);
 * ```
 */
export interface Transport {
  /** The bound address. */
  readonly localAddress: Address;
  /** Starts delivering what arrives. Called once. */
  start(handlers: TransportHandlers): void;
  /** Sends one datagram and returns at once. A loss or a local error is not reported to the caller. */
  sendPacket(to: Address, bytes: Uint8Array): void;
  /** Opens a stream. Rejects after `timeoutMs`, or earlier with the network's reason. */
  dial(to: Address, timeoutMs: number): Promise<Stream>;
  /** The IP addresses of a host name (a textual IP resolves to itself). Rejects when there is none. */
  resolve(host: string): Promise<string[]>;
  /** Stops delivery and closes every socket and stream. */
  close(): Promise<void>;
}

/**
 * A log that is already bound to one subsystem ("memberlist", "serf", ...).
 *
 * @example
 * ```ts
 * import type { Logger } from "@skein/agent/cluster";
 *
 * const logger: Logger = console;
 * logger.info("The console is a logger");
 * ```
 */
export interface Logger {
  /** Detail for whoever debugs the program. */
  debug(message: string, fields?: Record<string, unknown>): void;
  /** A normal happening. */
  info(message: string, fields?: Record<string, unknown>): void;
  /** Something that may need attention. */
  warn(message: string, fields?: Record<string, unknown>): void;
  /** Something that failed. */
  error(message: string, fields?: Record<string, unknown>): void;
}

/**
 * Where the core tells what happens how often, under the names of serf.md 17.2 and of memberlist: `serf.events`,
 * `memberlist.udp.sent`. Called on hot paths, so an implementation must be quick and must not throw.
 *
 * @example
 * ```ts
 * import type { Metrics } from "@skein/agent/cluster";
 *
 * const counts = new Map<string, number>();
 * const metrics: Metrics = {
 *   count: (name, n = 1) => void counts.set(name, (counts.get(name) ?? 0) + n),
 *   gauge() {},
 *   sample() {},
 * };
 * metrics.count("serf.events");
 * ```
 */
export interface Metrics {
  /** Something happened `n` times; default 1. */
  count(name: string, n?: number): void;
  /** A value is now this. */
  gauge(name: string, value: number): void;
  /** One of many values, e.g. a size in bytes or a time in milliseconds. */
  sample(name: string, value: number): void;
}

/**
 * Everything the core needs from outside.
 *
 * @example
 * ```ts
 * import { NetTransport, realRuntime } from "@skein/agent";
 * import type { Runtime } from "@skein/agent/cluster";
 *
 * await using network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger: console });
 * const runtime: Runtime = realRuntime(network, () => console);
 * console.log(runtime.transport.localAddress.host);
 * ```
 */
export interface Runtime {
  /** Time. */
  readonly clock: Clock;
  /** Chance. */
  readonly random: Random;
  /** Network. */
  readonly transport: Transport;
  /** The log of one subsystem. */
  logger(subsystem: string): Logger;
  /** Where figures go. Without it none are made. */
  readonly metrics?: Metrics;
}

/** A whole number in [0, `limit`). */
export function randomInt(random: Random, limit: number): number {
  return Math.floor(random.float() * limit);
}

/** Shuffles `items` in place (Fisher-Yates) and returns it. */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1);
    const held = items[i] as T;
    items[i] = items[j] as T;
    items[j] = held;
  }
  return items;
}
