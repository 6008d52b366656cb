/**
 * Messages of channels, on a connection of their own: what is asked meanwhile does not wait behind them.
 *
 * @module
 */

import type { KvKey, KvMessage } from "../../protocol/kv/values.ts";
import type { CallOptions } from "../net/deadline.ts";
import { ConnectionClosedError } from "../net/errors.ts";
import { RecordBuffer, type RecordStream, type StreamOptions } from "../net/record_stream.ts";
import { deferred, reportFault } from "../net/portable.ts";
import { Link } from "../net/reconnect.ts";
import { closedHere, type KvConnection, type Push } from "./connection.ts";
import { DEFAULT_TIMEOUT_MS, isFinal, openKvConnection } from "./open.ts";
import type { KvConnectOptions } from "./options.ts";

/** Messages that wait to be read when the caller sets no bound, as in other streams. */
const DEFAULT_BUFFER_SIZE = 1_024;

/** Some channels and patterns, subscribed to as long as somebody reads. */
export class Subscription implements RecordStream<KvMessage> {
  readonly #options: KvConnectOptions;
  readonly #channels: readonly KvKey[];
  readonly #signal: AbortSignal | undefined;
  readonly #ending = new AbortController();
  readonly #buffer: RecordBuffer<KvMessage>;
  #missed = 0;
  #reopened = 0;
  #opening: Promise<unknown> | undefined;
  #link: Link<KvConnection> | undefined;
  /** Resolves when it is over, however that came. */
  readonly ended: Promise<void>;
  readonly #resolveEnded: () => void;

  /** Nothing comes before {@linkcode Subscription.begin}. */
  constructor(
    options: KvConnectOptions,
    channels: readonly KvKey[],
    { signal, bufferSize = DEFAULT_BUFFER_SIZE, timeoutMs = options.timeoutMs }: StreamOptions,
  ) {
    this.#options = { ...options, ...timeoutMs !== undefined && { timeoutMs } };
    this.#channels = channels;
    this.#signal = signal;
    this.#buffer = new RecordBuffer(bufferSize);
    const { promise, resolve } = deferred<void>();
    this.ended = promise;
    this.#resolveEnded = () => resolve(undefined);
  }

  /** Connects and subscribes. Rejects as a call does, and when it is ended meanwhile. */
  async begin(): Promise<void> {
    const { reconnect = false } = this.#options;
    const opener = { open: (signal?: AbortSignal) => this.#subscribe(signal), isFinal };
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    try {
      this.#signal?.throwIfAborted();
      const opening = opener.open(this.#ending.signal);
      this.#opening = opening.catch(() => {}); // Who ends it waits for that; what went wrong is told here.
      // The client has its own ear for what becomes of its connection.
      const again = typeof reconnect === "boolean" ? {} : { ...reconnect, onStatus: () => {} };
      this.#link = new Link(await opening, opener, reconnect === false ? undefined : again);
      this.#link.closed.then((error) => this.#end(error)).catch(reportFault);
      this.#ending.signal.throwIfAborted();
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  /** How many messages were dropped: because nobody read them in time, or on their way to here, as far as agents know. */
  get dropped(): number {
    return this.#buffer.dropped + this.#missed;
  }

  /** How often it was subscribed again after the connection had dropped; what was published in between is missing. */
  get reopened(): number {
    return this.#reopened;
  }

  /** Ends it, and closes its connection. */
  async stop(_options?: CallOptions): Promise<void> {
    this.#ending.abort(new ConnectionClosedError({ cause: closedHere() }));
    this.#end();
    await this.#opening;
    await this.#link?.close();
  }

  /** {@linkcode Subscription.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The messages. */
  [Symbol.asyncIterator](): AsyncIterator<KvMessage> {
    return {
      next: () => this.#buffer.next(),
      return: async () => {
        await this.stop();
        return { done: true, value: undefined };
      },
    };
  }

  async #subscribe(signal?: AbortSignal): Promise<KvConnection> {
    const options = this.#options;
    let isTold = this.#link === undefined;
    // Before the first message of the new connection, if one is faster than the answer.
    const tell = (): void => {
      if (!isTold) this.#reopened++;
      isTold = true;
    };
    const connection = await openKvConnection(options, signal, (push) => {
      tell();
      this.#take(push);
    });
    try {
      const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
      const request = { action: "SUBSCRIBE", channels: this.#channels };
      await connection.call(request, false, { timeoutMs, ...signal && { signal } });
      tell();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  #take(push: Push): void {
    if (push.push === "dropped") this.#missed += Number(push["count"]) || 0;
    if (push.push !== "message") return;
    const { push: _, ...message } = push;
    this.#buffer.push(message as unknown as KvMessage);
  }

  /** Nothing comes any more. */
  #end(error?: unknown): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#buffer.end(error);
    this.#resolveEnded();
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    this.#buffer.end(reason);
    this.#ending.abort(reason);
    this.stop().catch(reportFault);
  };
}
