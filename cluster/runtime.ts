/**
 * What the outside world gives the cluster core: time, chance, a network, a disk and a place to log.
 *
 * Nothing in `cluster/` or `protocol/` reads a wall clock, draws a random number, opens a socket or a file by
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
  /** This machine could not send a datagram: it has no way there, or a firewall of its own forbids it. */
  unsent?(to: Address, reason: string): void;
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
  /** Sends one datagram and returns at once. A loss is not reported; a local error is, to `unsent`. */
  sendPacket(to: Address, bytes: Uint8Array): void;
  /** Opens a stream. Rejects after `timeoutMs`, or earlier with the network's reason, or when `signal` aborts. */
  dial(to: Address, timeoutMs: number, signal?: AbortSignal): Promise<Stream>;
  /** The IP addresses of a host name (a textual IP resolves to itself). Rejects when there is none. */
  resolve(host: string): Promise<string[]>;
  /** Stops delivery and closes every socket and stream. */
  close(): Promise<void>;
}

/** What a folder of a {@linkcode Disk} holds under one name. */
export interface DiskEntry {
  /** The name in the folder. */
  readonly name: string;
  /** What it is. */
  readonly kind: "file" | "folder";
  /** Length of a file in bytes; 0 for a folder. */
  readonly bytes: number;
}

/**
 * Files that grow at their end or are written over, in folders below one root. One process at a time may use it.
 *
 * Paths are relative to the root, with `/` between names; the root itself is `""`. Positions and lengths count bytes.
 *
 * **Order.** `append`, `write`, `truncate` and `sync` of one path happen one after the other, in the order of the calls, so
 * a caller need not wait for one to call the next. `rename` and `remove` come after all that was called before for the
 * same path. A `read` sees all that had resolved, and any part of what is under way. Nothing else is ordered.
 *
 * **What lasts.** What has resolved outlives the process. A crash of the machine may undo all that was not synced: of a
 * file what was appended, written and truncated since its last `sync`, of a folder the names that were made, renamed or
 * removed since the last `sync` of that folder, latest first. The last append that is left may be torn at any byte, with
 * zeros in place of the rest. Writes may lack any sectors, also those with later ones behind them: between two that are to
 * last in their order, there is a `sync`. So a new file lasts when it **and** its folder are synced, a new folder when the
 * one above it is.
 *
 * **Failures.** Every call rejects with {@linkcode FileNotFoundError}, {@linkcode DiskFullError},
 * {@linkcode DiskRefusedError} or, where nothing can be done about it, the system's error. Bytes may be damaged without
 * any error.
 */
export interface Disk {
  /**
   * Adds `bytes`, which must not change meanwhile, to the end of a file. The file is made when it is missing, and the
   * folders above it. When it rejects, any part of `bytes` may be in the file: truncate it before the next append.
   */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Puts `bytes`, which must not change meanwhile, over those of a file from `position` on, and what goes beyond at its
   * end. When it rejects, any part may be there. Rejects with `RangeError` when the file is shorter than `position`.
   */
  write(path: string, position: number, bytes: Uint8Array): Promise<void>;
  /**
   * Makes what was called before last over a crash: of a file its bytes, of a folder its names. When it rejects nobody
   * knows what is on the disk, and a later success does not tell, also after a restart of the process: what is read may be
   * in memory alone until it is written again.
   */
  sync(path: string): Promise<void>;
  /**
   * `length` bytes from `position` on, fewer only at the end of the file; the caller owns them. They are put into the first bytes of
   * `into`, which nobody else uses meanwhile, by default into memory of their own. Rejects with `RangeError` when `into` has no room.
   */
  read(path: string, position: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Cuts a file. Rejects with `RangeError` when it is shorter than `length`. */
  truncate(path: string, length: number): Promise<void>;
  /**
   * Gives a file another name in the same folder, in place of a file that has it: at any time, also after a crash, the
   * new name stands for the one file or the other. Rejects with `RangeError` when the folders differ.
   */
  rename(from: string, to: string): Promise<void>;
  /** What a folder holds, sorted by name. */
  list(folder: string): Promise<DiskEntry[]>;
  /** Removes a file, or a folder that is empty. */
  remove(path: string): Promise<void>;
}

/** There is no file or folder of that path. */
export class FileNotFoundError extends Error {
  /** "FileNotFoundError". */
  override readonly name = "FileNotFoundError";

  /** `cause` is what the system said. */
  constructor(path: string, cause?: unknown) {
    super(`No file or folder '${path}'`, { cause });
  }
}

/** The disk, or this user's share of it, has no room for more. */
export class DiskFullError extends Error {
  /** "DiskFullError". */
  override readonly name = "DiskFullError";

  /** `cause` is what the system said. */
  constructor(path: string, cause?: unknown) {
    super(`No room for more of '${path}'`, { cause });
  }
}

/** The system, or the runtime, does not allow it: rights are missing, or a mounted file stands in the way. */
export class DiskRefusedError extends Error {
  /** "DiskRefusedError". */
  override readonly name = "DiskRefusedError";

  /** `cause` is what the system said. */
  constructor(path: string, cause?: unknown) {
    super(`Not allowed to change or read '${path}'`, { cause });
  }
}

/** The folder of a path on a {@linkcode Disk}. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
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
 * Where the core tells what happens how often, under the names of docs/spec/serf.md 17.2 and of memberlist:
 * `serf.events`, `memberlist.udp.sent`. Called on hot paths, so an implementation must be quick and must not throw.
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
