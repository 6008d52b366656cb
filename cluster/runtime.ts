/**
 * What the outside world gives the cluster core: time, chance, a network and a place to log.
 *
 * Nothing in `cluster/` or `protocol/` reads a wall clock, draws a random number or opens a socket by
 * itself. `server/` supplies the real implementations; the simulator in `tests/simulation/` supplies
 * virtual ones, so that one seed gives one run.
 *
 * @module
 */

/** A pending timer. */
export interface Timer {
  /** Stops the timer; its function will not run. Calling it again, or after it fired, does nothing. */
  cancel(): void;
}

/** Monotonic time in milliseconds. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Runs `fn` once, `ms` milliseconds from now (at once on the next turn when `ms` is 0 or less). */
  setTimer(ms: number, fn: () => void): Timer;
}

/** A source of random numbers. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** `length` random bytes, fit for nonces and keys when the source is the real one. */
  bytes(length: number): Uint8Array;
}

/** Where a packet or stream goes to or comes from. */
export interface Address {
  /** A textual IP address: dotted IPv4 (also for IPv4-mapped IPv6) or IPv6 without brackets. */
  readonly host: string;
  /** Port, 1 to 65535. */
  readonly port: number;
}

/** One reliable, ordered byte stream (a TCP connection or its simulated twin). */
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

/** What a {@linkcode Transport} calls when something arrives. */
export interface TransportHandlers {
  /** A datagram. `bytes` belongs to the receiver. Called synchronously, in arrival order. */
  packet(from: Address, bytes: Uint8Array): void;
  /** An accepted stream. The handler owns it and must close it. */
  stream(stream: Stream): void;
}

/** The network: unreliable packets and reliable streams on one address. */
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

/** A log that is already bound to one subsystem ("memberlist", "serf", ...). */
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
 * Where the core tells what happens how often, under the names of serf.md 17 and of memberlist: `serf.events`,
 * `memberlist.udp.sent`. Called on hot paths, so an implementation must be quick and must not throw.
 */
export interface Metrics {
  /** Something happened `n` times; default 1. */
  count(name: string, n?: number): void;
  /** A value is now this. */
  gauge(name: string, value: number): void;
  /** One of many values, e.g. a size in bytes or a time in milliseconds. */
  sample(name: string, value: number): void;
}

/** Everything the core needs from outside. */
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
