/**
 * Opens a stream of records on a connection, and closes it in two steps.
 *
 * @module
 */

import type { ResponseHeader } from "../protocol/ipc.ts";
import { answerTimeout, type Connection, type RequestOf } from "./connection.ts";
import { type CallOptions, waitFor } from "./deadline.ts";
import { ConnectionClosedError, RpcError } from "./errors.ts";
import { RecordBuffer, type RecordStream, type StreamOptions } from "./record_stream.ts";

/** The commands that open a stream. */
export type StreamCommand = "stream" | "monitor";

/** Records that wait to be read when the caller sets no bound: what Serf's own command line uses (agent.md 5). */
const DEFAULT_BUFFER_SIZE = 1024;

/** {@linkcode StreamOptions} with the client's timeout in place. */
type OpenOptions = StreamOptions & { readonly timeoutMs: number };

/**
 * Sends `command` and resolves to the stream once the agent agrees.
 *
 * `decodeRecord` turns the body of a record into what the stream delivers, or `undefined` to pass it over.
 */
export function subscribe<N extends StreamCommand, T>(
  connection: Connection,
  command: N,
  body: RequestOf<N>,
  decodeRecord: (record: Uint8Array) => T | undefined,
  options: OpenOptions,
): Promise<RecordStream<T>> {
  const { timeoutMs, signal } = options;
  const subscription = new Subscription<T>(connection, options);
  const deadline = {
    signal,
    timeoutMs,
    timeoutError: () => answerTimeout(command, timeoutMs),
    giveUp: () => subscription.abandon(),
  };
  return waitFor<RecordStream<T>>(deadline, ({ resolve, reject }) => {
    let opened = false;
    subscription.seq = connection.send(command, body, {
      header(header: ResponseHeader): boolean {
        if (opened) return header.Error === "";
        opened = true;
        if (header.Error === "") {
          subscription.begin();
          resolve(subscription);
        } else {
          connection.forget(subscription.seq);
          reject(new RpcError(command, header.Error));
        }
        return false;
      },
      body(value): void {
        const record = value && decodeRecord(value);
        if (record !== undefined) subscription.buffer.push(record);
      },
      closed(error): void {
        reject(error);
        subscription.lost(error);
      },
    });
  });
}

class Subscription<T> implements RecordStream<T> {
  readonly buffer: RecordBuffer<T>;
  seq = 0;
  readonly #connection: Connection;
  readonly #options: OpenOptions;
  #stopped: Promise<void> | undefined;

  constructor(connection: Connection, options: OpenOptions) {
    this.#connection = connection;
    this.#options = options;
    this.buffer = new RecordBuffer(options.bufferSize ?? DEFAULT_BUFFER_SIZE);
  }

  get dropped(): number {
    return this.buffer.dropped;
  }

  /** The agent has agreed: from now on the signal ends the stream. */
  begin(): void {
    this.#options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** The connection is gone. */
  lost(error: ConnectionClosedError): void {
    this.#stopped ??= Promise.resolve();
    this.#detach();
    this.buffer.end(this.#connection.isClosing ? undefined : error);
  }

  /** Nobody waits for the stream any more, but the agent may send it: tells it not to, without waiting. */
  abandon(error?: unknown): void {
    this.buffer.end(error);
    if (this.seq > 0) this.stop().catch(() => {});
  }

  stop(options: CallOptions = {}): Promise<void> {
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => this.buffer.next(),
      return: async () => {
        await this.stop();
        return { done: true, value: undefined };
      },
    };
  }

  async #stop(options: CallOptions): Promise<void> {
    this.#connection.forget(this.seq);
    this.#detach();
    this.buffer.end();
    try {
      const { timeoutMs } = this.#options;
      await this.#connection.call("stop", { Stop: this.seq }, { timeoutMs, ...options });
    } catch (error) {
      // Without a connection the agent has already ended the stream.
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  readonly #onAbort = (): void => this.abandon(this.#options.signal?.reason);

  #detach(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}
