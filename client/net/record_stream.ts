/**
 * Streams of records: events and log lines.
 *
 * @module
 */

import type { CallOptions } from "./deadline.ts";
import { type Deferred, deferred } from "./portable.ts";

/** Stands for the record that ends a stream. */
export const END: unique symbol = Symbol("end of stream");

/**
 * Options of a stream.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { RpcClient, type StreamOptions } from "@skein/agent/client";
 *
 * const options: StreamOptions = { bufferSize: 16, signal: AbortSignal.timeout(1_000) };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * await using events = await client.stream("*", options);
 * ```
 */
export interface StreamOptions extends CallOptions {
  /** Ends the stream, also after it has begun; iterating then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Records that wait to be read at most; more are dropped, the newest first. Default 1024. */
  readonly bufferSize?: number;
}

/**
 * Records in the order of their arrival. Leaving a `for await` loop stops the stream.
 *
 * Iteration ends after {@linkcode RecordStream.stop} or when the client is closed, and throws a
 * `ConnectionClosedError` when the connection drops for good; what has arrived before is delivered first.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type RecordStream, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * const lines: RecordStream<string> = await client.monitor();
 * console.log(lines.dropped, lines.reopened); // 0 0
 * await lines.stop();
 * ```
 */
export interface RecordStream<T> extends AsyncIterable<T>, AsyncDisposable {
  /** How many records were dropped because nobody read them in time. */
  readonly dropped: number;
  /** How often the stream was opened again after the connection had dropped; what happened in between is missing. */
  readonly reopened: number;
  /**
   * Ends the stream here at once, then tells the agent and waits for its answer. Safe to call again.
   *
   * @throws {TimeoutError} when the agent does not answer in time
   */
  stop(options?: CallOptions): Promise<void>;
}

/** The receiving end of a stream: a bounded queue with at most one reader waiting. */
export class RecordBuffer<T> {
  readonly #capacity: number;
  readonly #records: T[] = [];
  #reader: Deferred<IteratorResult<T>> | undefined;
  #end: { error: unknown } | "ended" | undefined;
  #dropped = 0;

  /** Holds `capacity` records. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many records found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds a record, or drops it when there is no room or the stream has ended. */
  push(record: T): void {
    if (this.#end !== undefined) return;
    if (this.#reader !== undefined) {
      this.#reader.resolve({ done: false, value: record });
      this.#reader = undefined;
    } else if (this.#records.length < this.#capacity) {
      this.#records.push(record);
    } else {
      this.#dropped++;
    }
  }

  /** Nothing comes any more. With an `error`, reading throws it after the last record. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? "ended" : { error };
    const reader = this.#reader;
    this.#reader = undefined;
    if (error === undefined) reader?.resolve({ done: true, value: undefined });
    else reader?.reject(error);
  }

  /** The next record, as soon as there is one. */
  next(): Promise<IteratorResult<T>> {
    if (this.#records.length > 0) {
      return Promise.resolve({ done: false, value: this.#records.shift() as T });
    }
    if (this.#end === "ended") return Promise.resolve({ done: true, value: undefined });
    if (this.#end !== undefined) {
      const { error } = this.#end;
      this.#end = "ended";
      return Promise.reject(error);
    }
    if (this.#reader !== undefined) {
      return Promise.reject(new TypeError("Stream is already being read"));
    }
    this.#reader = deferred();
    return this.#reader.promise;
  }
}
