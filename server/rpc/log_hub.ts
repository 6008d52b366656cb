/**
 * Hands log lines to the monitors of all connections. A record is encoded once per line, not once per monitor.
 *
 * @module
 */

import { LogRecord, ResponseHeader } from "../../protocol/ipc/mod.ts";
import { encode } from "../../protocol/msgpack/mod.ts";
import type { AgentLog, LogLevel } from "../logging/log.ts";
import { type Loser, type LossCount, Losses } from "./losses.ts";
import { RecordCounter } from "./output.ts";

/** Where a monitor's records go. */
export interface LogSubscriber extends Loser {
  /** The log lines that it lost. */
  readonly lostLogs: LossCount;
}

/** The monitor of one connection. */
export interface LogStream {
  /** The Seq of its `monitor` request. */
  readonly seq: number | bigint;
  /** Ends it. Records that wait already are still sent. */
  stop(): void;
}

/** All monitors of an agent. */
export class LogHub {
  readonly #log: AgentLog;
  readonly #losses: Losses;
  #lastLine = "";
  #lastBody: Uint8Array = new Uint8Array(0);

  /** @param log Whose lines. */
  constructor(log: AgentLog) {
    this.#log = log;
    this.#losses = new Losses(log, "logs", "log lines");
  }

  /** Records that were dropped because a client was slow. */
  get dropped(): number {
    return this.#losses.total;
  }

  /** Sends the retained lines from `level` on, oldest first, then live ones. */
  start(subscriber: LogSubscriber, seq: number | bigint, level: LogLevel): LogStream {
    const { output, lostLogs } = subscriber;
    const header = encode(ResponseHeader, { Error: "", Seq: seq }, "rpc");
    const counter = new RecordCounter();
    for (const line of this.#log.lines(level)) output.sureRecord(header, this.#encode(line));
    const monitor = this.#log.monitor(level, (line) => {
      if (output.record(counter, header, this.#encode(line))) return;
      this.#losses.count(subscriber, lostLogs, monitor);
    });
    return { seq, stop: () => monitor.stop() };
  }

  #encode(line: string): Uint8Array {
    if (line === this.#lastLine) return this.#lastBody;
    this.#lastLine = line;
    this.#lastBody = encode(LogRecord, { Log: line }, "rpc");
    return this.#lastBody;
  }
}
