/**
 * The way to the agent over the life of a client: one connection, or, when asked for, one after the other.
 *
 * @module
 */

import { requireOptions } from "../../protocol/arguments.ts";
import { type Deadline, pause, waitFor } from "./deadline.ts";
import { ConnectionClosedError, DisconnectedError } from "./errors.ts";
import { deferred } from "./portable.ts";

/**
 * How to come back after the connection has dropped.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type ReconnectOptions, RpcClient } from "@skein/agent/client";
 *
 * const reconnect: ReconnectOptions = { maxDelayMs: 2_000, onStatus: (status) => console.log(status) };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}`, reconnect });
 * ```
 */
export interface ReconnectOptions {
  /** Milliseconds until the first try, at most. Each try doubles them; up to half is taken off by chance. Default 100. */
  readonly minDelayMs?: number;
  /** Milliseconds between two tries, at most. Default 10,000. */
  readonly maxDelayMs?: number;
  /** Tries of one outage; then the client is closed. Default: no limit. */
  readonly maxAttempts?: number;
  /**
   * What calls do meanwhile: "wait" for the connection, as long as their time allows, or "fail" at once with a
   * `DisconnectedError`. Default "wait".
   */
  readonly whileDown?: "wait" | "fail";
  /** Called when the connection has dropped, with the reason, and when there is one again. */
  readonly onStatus?: (status: "disconnected" | "connected", reason?: Error) => void;
  /** Ends the tries, and so the client. */
  readonly signal?: AbortSignal;
}

/**
 * Checks what was said about connecting again, for programs whose compiler does not.
 *
 * @throws {TypeError} when an option is unknown or of a wrong type
 */
export function checkReconnectOptions(reconnect: boolean | ReconnectOptions): void {
  if (typeof reconnect === "boolean") return;
  requireOptions("reconnect", reconnect, {
    minDelayMs: "number",
    maxDelayMs: "number",
    maxAttempts: "number",
    whileDown: "text",
    onStatus: "function",
    signal: "signal",
  });
}

/** What a {@linkcode Link} needs to know of a connection. */
export interface LinkConnection {
  /** Resolves when it has ended: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Error | undefined>;
  /** Whether nothing can be sent on it any more. */
  readonly isClosed: boolean;
  /** Closes it. Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** How a {@linkcode Link} comes to more connections. */
export interface LinkOpener<C extends LinkConnection> {
  /** Opens a connection and makes it ready for use. Rejects when that fails. */
  open(signal?: AbortSignal): Promise<C>;
  /** Whether it would fail again with this error, so that no more tries are made: the other end refuses us. */
  isFinal(error: unknown): boolean;
}

const DEFAULT_MIN_DELAY_MS = 100;
const DEFAULT_MAX_DELAY_MS = 10_000;

/** The connections of one client. */
export class Link<C extends LinkConnection> {
  /** Resolves when there will be no connection any more: with nothing after {@linkcode Link.close}, else with the reason. */
  readonly closed: Promise<Error | undefined>;
  /** Whether another connection follows one that drops. */
  readonly reconnects: boolean;
  readonly #opener: LinkOpener<C>;
  readonly #options: ReconnectOptions;
  readonly #closing = new AbortController();
  #connection: C;
  #waiting = deferred<C>();
  #end: Error | undefined;

  /** Begins with a connection that is open; `reconnect` says how to open more, if that is wanted. */
  constructor(first: C, opener: LinkOpener<C>, reconnect: ReconnectOptions | undefined) {
    this.#opener = opener;
    this.#connection = first;
    this.reconnects = reconnect !== undefined;
    this.#options = reconnect ?? {};
    this.#waiting.promise.catch(() => {}); // Nobody may wait for it.
    this.closed = this.#keep();
  }

  /** The connection; `undefined` while one is to follow. A client that is closed has its last one. */
  get current(): C | undefined {
    const down = this.#connection.isClosed && this.reconnects && !this.isOver;
    return down ? undefined : this.#connection;
  }

  /** Whether {@linkcode Link.close} was called. */
  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Whether no connection follows. */
  get isOver(): boolean {
    return this.isClosing || this.#end !== undefined;
  }

  /**
   * Waits for a connection, for a call.
   *
   * Rejects with `DisconnectedError` when calls shall not wait, with `ConnectionClosedError` when there will be none.
   */
  forCall(deadline: Deadline): Promise<C> {
    if (this.#options.whileDown === "fail") return Promise.reject(new DisconnectedError());
    return waitFor(deadline, ({ resolve, reject }) => {
      this.next().then(resolve, reject);
    });
  }

  /** Waits for a connection as long as it takes. Rejects with `ConnectionClosedError` when there will be none. */
  next(): Promise<C> {
    const { current } = this;
    return current === undefined ? this.#waiting.promise : Promise.resolve(current);
  }

  /** Closes the connection and opens no other. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection.close();
    await this.closed;
  }

  async #keep(): Promise<Error | undefined> {
    for (;;) {
      const error = await this.#connection.closed;
      if (error === undefined || this.isClosing) return this.#finish(undefined);
      if (!this.reconnects) return this.#finish(error);
      this.#tell("disconnected", error);
      const next = await this.#retry(error);
      if (next instanceof Error) return this.#finish(this.isClosing ? undefined : next);
      this.#connection = next;
      // A client that was closed while the connection came about closes it again.
      if (this.isClosing) await next.close();
      else this.#tell("connected");
      this.#waiting.resolve(next);
      this.#waiting = deferred();
      this.#waiting.promise.catch(() => {}); // Nobody may wait for it.
    }
  }

  #finish(error: Error | undefined): Error | undefined {
    this.#end = error;
    const cause = error?.cause ?? new Error("Client was closed by this program");
    this.#waiting.reject(new ConnectionClosedError({ cause }));
    return error;
  }

  /** In a turn of its own, so that what the program's function throws is the program's, not the link's. */
  #tell(status: "disconnected" | "connected", reason?: Error): void {
    queueMicrotask(() => this.#options.onStatus?.(status, reason));
  }

  /** A connection, or why there is none. */
  async #retry(lost: Error): Promise<C | Error> {
    const { minDelayMs = DEFAULT_MIN_DELAY_MS, maxDelayMs = DEFAULT_MAX_DELAY_MS } = this.#options;
    const { maxAttempts = Infinity, signal } = this.#options;
    const stop = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]);
    let reason: unknown = lost.cause;
    for (let attempt = 0; attempt < maxAttempts && !stop.aborted; attempt++) {
      const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** attempt);
      await pause(ceiling * (1 - Math.random() / 2), stop);
      if (stop.aborted) break;
      try {
        return await this.#opener.open(stop);
      } catch (error) {
        reason = error;
        if (this.#opener.isFinal(error)) break;
      }
    }
    return new ConnectionClosedError({ cause: signal?.aborted ? signal.reason : reason });
  }
}
