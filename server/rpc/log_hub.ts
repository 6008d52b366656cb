/**
 * Hands log lines to the monitors of all connections. A record is encoded once per line, not once per monitor.
 *
 * @module
 */

import { LogRecord, ResponseHeader } from "../../protocol/ipc/mod.ts";
import { encode, type Writer } from "../../protocol/msgpack/mod.ts";
import type { AgentLog, LogLevel, Monitor } from "../logging/log.ts";
import type { Peer } from "../net/conversation.ts";
import type { LossCount, Losses } from "../net/losses.ts";
import { RecordCounter } from "../net/outbox.ts";
import { loggedLosses } from "./losses.ts";

/** Where a monitor's records go. */
export interface LogSubscriber {
  /** The client. */
  readonly peer: Peer<Writer>;
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
  readonly #losses: Losses<Monitor | undefined>;
  #lastLine = "";
  #lastBody: Uint8Array = new Uint8Array(0);

  /** @param log Whose lines. */
  constructor(log: AgentLog) {
    this.#log = log;
    this.#losses = loggedLosses(log, "logs", "log lines");
  }

  /** Records that were dropped because a client was slow. */
  get dropped(): number {
    return this.#losses.total;
  }

  /** Sends the retained lines from `level` on, oldest first, then live ones. */
  start(subscriber: LogSubscriber, seq: number | bigint, level: LogLevel): LogStream {
    const { peer, lostLogs } = subscriber;
    const { outbox } = peer;
    const header = encode(ResponseHeader, { Error: "", Seq: seq }, "rpc");
    const counter = new RecordCounter();
    for (const line of this.#log.lines(level)) outbox.sureRecord(header, this.#encode(line));
    const monitor = this.#log.monitor(level, (line) => {
      if (outbox.record(counter, header, this.#encode(line))) return;
      this.#losses.count(peer, lostLogs, monitor);
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
