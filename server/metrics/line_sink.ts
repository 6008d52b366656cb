/**
 * What statsd and statsite servers have in common: lines that wait for the network, and a connection that is made again
 * after it broke (docs/spec/agent.md 6.11).
 *
 * @module
 */

import { formatDuration } from "../../protocol/duration.ts";
import { pause } from "../net/deadline.ts";
import type { MetricSink } from "./agent_metrics.ts";

/** Lines that may wait; what is above is dropped (docs/spec/agent.md 6.11). */
export const QUEUE_LIMIT = 4_096;

/** Longest time that lines wait, in milliseconds (docs/spec/agent.md 6.11). */
const FLUSH_MS = 100;

/** Pause before another try to connect, in milliseconds (docs/spec/agent.md 6.11). */
const RETRY_MS = 5_000;

/** Lines that are under way at the end have this long to arrive, in milliseconds. */
const END_GRACE_MS = 200;

/** A connection to a server. */
export interface LineConnection {
  /** Sends lines in order. Rejects when the connection is broken, or when it is closed meanwhile. */
  send(lines: readonly string[]): Promise<void>;
  /** Ends the connection. Safe to call more than once. */
  close(): void;
}

/** What a sink needs to know. */
export interface LineSinkOptions {
  /** What the server is called in the log. */
  readonly server: string;
  /** Makes a connection; rejects when it cannot, and when `signal` aborts. */
  connect(signal: AbortSignal): Promise<LineConnection>;
  /** Tells that the server cannot be reached, once until it can. */
  warn(text: string): void;
  /** Pause before another try to connect, in milliseconds. Default 5,000. */
  readonly retryMs?: number;
}

/** Sends lines to a server. Without a connection lines are dropped: nothing ever waits for the server. */
export class LineSink implements MetricSink, AsyncDisposable {
  readonly #options: LineSinkOptions;
  readonly #stopped = new AbortController();
  readonly #end: Promise<void>;
  #waiting: string[] = [];
  #isTold = false;
  /** Lines that found no room or no connection. */
  dropped = 0;

  /** Connects in the background. */
  constructor(options: LineSinkOptions) {
    this.#options = options;
    this.#end = this.#run(options.retryMs ?? RETRY_MS);
  }

  /** Queues a line. */
  push(line: string): void {
    if (this.#waiting.length >= QUEUE_LIMIT) this.dropped++;
    else this.#waiting.push(line);
  }

  /** Sends what waits, if it can be done at once, and ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#end;
  }

  async #run(retryMs: number): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#serve();
      } catch (error) {
        if (signal.aborted) return;
        this.#tell((error as Error).message, retryMs);
        await pause(retryMs, signal);
        this.dropped += this.#waiting.length;
        this.#waiting = [];
      }
    }
  }

  /** One connection, until it breaks or the sink is disposed of. */
  async #serve(): Promise<void> {
    const { signal } = this.#stopped;
    const connection = await this.#options.connect(signal);
    let grace: ReturnType<typeof setTimeout> | undefined;
    const onStop = (): void => {
      grace = setTimeout(() => connection.close(), END_GRACE_MS);
    };
    signal.addEventListener("abort", onStop);
    try {
      for (let isLast = signal.aborted; !isLast;) {
        await pause(FLUSH_MS, signal);
        isLast = signal.aborted;
        const lines = this.#waiting;
        this.#waiting = [];
        if (lines.length === 0) continue;
        await connection.send(lines);
        this.#isTold = false;
      }
    } finally {
      signal.removeEventListener("abort", onStop);
      clearTimeout(grace);
      connection.close();
    }
  }

  #tell(reason: string, retryMs: number): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const { server, warn } = this.#options;
    warn(`Cannot reach the ${server}: ${reason}; trying again every ${formatDuration(retryMs)}`);
  }
}
