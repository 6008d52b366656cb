/**
 * Messages of channels, on a connection of their own: what is asked meanwhile does not wait behind them.
 *
 * @module
 */

import type { KvKey, KvMessage } from "../../protocol/kv/values.ts";
import type { CallOptions } from "../net/deadline.ts";
import { RecordBuffer, type RecordStream, type StreamOptions } from "../net/record_stream.ts";
import { deferred, reportFault } from "../net/portable.ts";
import { Link } from "../net/reconnect.ts";
import type { KvConnection, Push } from "./connection.ts";
import { DEFAULT_TIMEOUT_MS, isFinal, openKvConnection } from "./open.ts";
import type { KvConnectOptions } from "./options.ts";

/** Messages that wait to be read when the caller sets no bound, as in other streams. */
const DEFAULT_BUFFER_SIZE = 1_024;

/** Some channels and patterns, subscribed to as long as somebody reads. */
export class Subscription implements RecordStream<KvMessage> {
  readonly #options: KvConnectOptions;
  readonly #channels: readonly KvKey[];
  readonly #signal: AbortSignal | undefined;
  readonly #buffer: RecordBuffer<KvMessage>;
  #missed = 0;
  #reopened = 0;
  #link: Link<KvConnection> | undefined;
  /** Resolves when it is over, however that came. */
  readonly ended: Promise<void>;
  readonly #resolveEnded: () => void;

  private constructor(
    options: KvConnectOptions,
    channels: readonly KvKey[],
    { signal, bufferSize = DEFAULT_BUFFER_SIZE }: StreamOptions,
  ) {
    this.#options = options;
    this.#channels = channels;
    this.#signal = signal;
    this.#buffer = new RecordBuffer(bufferSize);
    const { promise, resolve } = deferred<void>();
    this.ended = promise;
    this.#resolveEnded = () => resolve(undefined);
  }

  /** Connects as `options` say and subscribes. Rejects as a call does. */
  static async open(
    options: KvConnectOptions,
    channels: readonly KvKey[],
    streamOptions: StreamOptions,
  ): Promise<Subscription> {
    const subscription = new Subscription(options, channels, streamOptions);
    await subscription.#open(streamOptions);
    return subscription;
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
    this.#end();
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

  async #open({ timeoutMs = this.#options.timeoutMs }: StreamOptions): Promise<void> {
    const { reconnect = false } = this.#options;
    const options = { ...this.#options, ...timeoutMs !== undefined && { timeoutMs } };
    const opener = {
      open: (signal?: AbortSignal) => this.#subscribe(options, signal),
      isFinal,
    };
    const first = await opener.open(this.#signal);
    // The client has its own ear for what becomes of its connection.
    const again = typeof reconnect === "boolean" ? {} : { ...reconnect, onStatus: () => {} };
    this.#link = new Link(first, opener, reconnect === false ? undefined : again);
    this.#link.closed.then((error) => this.#end(error)).catch(reportFault);
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (this.#signal?.aborted) this.#onAbort();
  }

  async #subscribe(options: KvConnectOptions, signal?: AbortSignal): Promise<KvConnection> {
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
    this.#buffer.end(this.#signal?.reason);
    this.stop().catch(reportFault);
  };
}
