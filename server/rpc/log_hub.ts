/**
 * Hands log lines to the monitors of all connections. A record is encoded once per line, not once per monitor.
 *
 * @module
 */

import { LogRecord, ResponseHeader } from "../../protocol/ipc.ts";
import { encode } from "../../protocol/msgpack/mod.ts";
import { hiddenNote, LogLimiter } from "../logging/limiter.ts";
import type { AgentLog, LogLevel, Monitor } from "../logging.ts";
import { type Output, RecordCounter } from "./output.ts";

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
  readonly #limiter = new LogLimiter();
  #lastLine = "";
  #lastBody: Uint8Array = new Uint8Array(0);
  /** Records that were dropped because a client was slow. */
  dropped = 0;

  /** @param log Whose lines. */
  constructor(log: AgentLog) {
    this.#log = log;
  }

  /**
   * Sends the retained lines from `level` on, oldest first, then live ones.
   *
   * @param client The client's name in logs.
   */
  start(client: string, output: Output, seq: number | bigint, level: LogLevel): LogStream {
    const header = encode(ResponseHeader, { Error: "", Seq: seq }, "rpc");
    const counter = new RecordCounter();
    for (const line of this.#log.lines(level)) output.sureRecord(header, this.#encode(line));
    const monitor = this.#log.monitor(level, (line) => {
      if (!output.record(counter, header, this.#encode(line))) this.#dropped(client, monitor);
    });
    return { seq, stop: () => monitor.stop() };
  }

  #encode(line: string): Uint8Array {
    if (line === this.#lastLine) return this.#lastBody;
    this.#lastLine = line;
    this.#lastBody = encode(LogRecord, { Log: line }, "rpc");
    return this.#lastBody;
  }

  /** The line about a loss never goes to the monitor that lost one, or each would cause the next (agent.md 1.7). */
  #dropped(client: string, monitor: Monitor): void {
    this.dropped++;
    const hidden = this.#limiter.admit(client);
    if (hidden === undefined) return;
    const text = `Dropping logs to ipc.client: ${client}` + hiddenNote(hidden);
    this.#log.write("WARN", "agent.ipc", text, { except: monitor });
  }
}
