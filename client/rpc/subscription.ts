/**
 * Opens a stream of records, opens it again when the connection was replaced, and closes it in two steps.
 *
 * @module
 */

import type { ResponseHeader } from "../../protocol/ipc/mod.ts";
import { type CallOptions, type Deadline, waitFor } from "../net/deadline.ts";
import { ConnectionClosedError } from "../net/errors.ts";
import { reportFault } from "../net/portable.ts";
import type { Link } from "../net/reconnect.ts";
import { answerTimeout, type Connection, type RequestOf } from "./connection.ts";
import { RpcError } from "./errors.ts";
import { END, RecordBuffer, type RecordStream, type StreamOptions } from "../net/record_stream.ts";

/** The commands that open a stream. */
export type StreamCommand = "stream" | "monitor" | "query";

/**
 * Records that wait to be read when the caller sets no bound: what Serf's own command line uses (docs/spec/agent.md 5).
 */
const DEFAULT_BUFFER_SIZE = 1024;

/** What a stream is opened with. */
export interface StreamRequest<N extends StreamCommand, T> {
  /** The command. */
  readonly command: N;
  /** Its body. */
  readonly body: RequestOf<N>;
  /**
   * What the stream delivers for the body of a record that came on `connection`, `undefined` to pass it over,
   * {@linkcode END} for the last one.
   */
  decode(record: Uint8Array, connection: Connection): T | typeof END | undefined;
}

/** {@linkcode StreamOptions} with the client's timeout in place. */
type OpenOptions = StreamOptions & { readonly timeoutMs: number };

/** Sends the command and resolves to the stream once the agent agrees. */
export async function subscribe<N extends StreamCommand, T>(
  link: Link<Connection>,
  request: StreamRequest<N, T>,
  options: OpenOptions,
): Promise<RecordStream<T>> {
  const subscription = new Subscription<N, T>(link, request, options);
  await subscription.open();
  return subscription;
}

class Subscription<N extends StreamCommand, T> implements RecordStream<T> {
  readonly #link: Link<Connection>;
  readonly #request: StreamRequest<N, T>;
  readonly #options: OpenOptions;
  readonly #buffer: RecordBuffer<T>;
  #connection: Connection | undefined;
  #seq = 0;
  #reopened = 0;
  #stopped: Promise<void> | undefined;

  constructor(link: Link<Connection>, request: StreamRequest<N, T>, options: OpenOptions) {
    this.#link = link;
    this.#request = request;
    this.#options = options;
    this.#buffer = new RecordBuffer(options.bufferSize ?? DEFAULT_BUFFER_SIZE);
  }

  get dropped(): number {
    return this.#buffer.dropped;
  }

  get reopened(): number {
    return this.#reopened;
  }

  /** Resolves when the agent has agreed; from then on the signal ends the stream. */
  async open(): Promise<void> {
    const { current } = this.#link;
    await this.#attach(current ?? await this.#link.forCall(this.#deadline(() => {})));
    this.#options.signal?.addEventListener("abort", this.#onAbort, { once: true });
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
      next: () => this.#buffer.next(),
      return: async () => {
        await this.stop();
        return { done: true, value: undefined };
      },
    };
  }

  #deadline(giveUp: () => void): Deadline {
    const { signal, timeoutMs } = this.#options;
    const timeoutError = (): Error => answerTimeout(this.#request.command, timeoutMs);
    return { signal, timeoutMs, timeoutError, giveUp };
  }

  #attach(connection: Connection): Promise<void> {
    const { command, body } = this.#request;
    let agreed = false;
    return waitFor<void>(
      this.#deadline(() => this.#tellAgentOnly()),
      ({ resolve, reject }) => {
        this.#connection = connection;
        this.#seq = connection.send(command, body, {
          header: (header: ResponseHeader): boolean => {
            if (agreed) return header.Error === "";
            if (header.Error === "") {
              agreed = true;
              resolve();
            } else {
              connection.forget(this.#seq);
              reject(new RpcError(command, header.Error));
            }
            return false;
          },
          body: (value) => value && this.#take(value, connection),
          closed: (error) => {
            reject(error);
            if (agreed) this.#lost(error);
          },
        });
      },
    );
  }

  #take(record: Uint8Array, connection: Connection): void {
    const value = this.#request.decode(record, connection);
    if (value === END) {
      connection.forget(this.#seq);
      this.#end();
    } else if (value !== undefined) this.#buffer.push(value);
  }

  /** The connection has dropped. A query is over then, other streams go on with the next connection. */
  #lost(error: ConnectionClosedError): void {
    const goesOn = this.#link.reconnects && this.#request.command !== "query";
    if (goesOn && !this.#link.isOver && this.#stopped === undefined) {
      this.#resume().catch(reportFault);
    } else this.#end(this.#link.isClosing ? undefined : error);
  }

  async #resume(): Promise<void> {
    while (this.#stopped === undefined) {
      try {
        const connection = await this.#link.next();
        if (this.#stopped !== undefined) return;
        await this.#attach(connection);
        this.#reopened++;
      } catch (error) {
        if (error instanceof ConnectionClosedError && !this.#link.isOver) continue;
        return this.#end(this.#link.isClosing ? undefined : error);
      }
      // It may have been stopped while the agent was being asked.
      if (this.#stopped !== undefined) this.#tellAgentOnly();
      return;
    }
  }

  /** Nothing comes any more. */
  #end(error?: unknown): void {
    this.#stopped ??= Promise.resolve();
    this.#detach();
    this.#buffer.end(error);
  }

  async #stop(options: CallOptions): Promise<void> {
    this.#detach();
    this.#buffer.end();
    await this.#tellAgent(options);
  }

  /** Takes no more records, and asks the agent to send none. An agent cannot stop a query. */
  async #tellAgent(options: CallOptions = {}): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || this.#seq === 0) return;
    connection.forget(this.#seq);
    if (connection.isClosed || this.#request.command === "query") return;
    try {
      const { timeoutMs } = this.#options;
      await connection.call("stop", { Stop: this.#seq }, { timeoutMs, ...options });
    } catch (error) {
      // Without a connection the agent has already ended the stream.
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  /** Nobody waits for records any more, so that it is all the same whether the agent agrees in time. */
  #tellAgentOnly(): void {
    this.#tellAgent().catch(() => {}); // It refuses, or is too slow.
  }

  readonly #onAbort = (): void => {
    this.#buffer.end(this.#options.signal?.reason);
    // The reader gets the reason of the signal; the agent may be too slow to hear of it.
    this.stop().catch(() => {});
  };

  #detach(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}
