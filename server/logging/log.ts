/**
 * The log of one agent (docs/spec/agent.md 6.6): classic lines, a ring of the newest ones, and monitors that see them
 * live.
 *
 * The lines of every log can also go on to the log of the program that the agents run in (see
 * {@linkcode forwardLogs}).
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import type { Logger } from "../../cluster/runtime.ts";
import { errorOf, stackOf } from "./errors.ts";
import { type LogLevel, passes } from "./levels.ts";
import { LogLine } from "./line.ts";

export { escapeControls, type LogLine } from "./line.ts";
export { LOG_LEVELS, type LogLevel, parseLogLevel } from "./levels.ts";

/** Lines that the log keeps for monitors that come later (docs/spec/agent.md 6.6). */
export const RETAINED_LINES = 512;

/**
 * Someone who sees the lines of a log from a level on.
 *
 * @example
 * ```ts
 * import { AgentLog, type Monitor } from "@skein/agent";
 *
 * const log = new AgentLog("alpha");
 * const monitor: Monitor = log.monitor("WARN", (line) => console.log(line));
 * monitor.level = "DEBUG";
 * monitor.stop();
 * ```
 */
export interface Monitor {
  /** The least urgent level it sees. May be changed. */
  level: LogLevel;
  /** Ends it; no line follows. */
  stop(): void;
}

/**
 * What a line carries besides its text.
 *
 * @example
 * ```ts
 * import { AgentLog, type LineOptions } from "@skein/agent";
 *
 * const options: LineOptions = { fields: { path: "/tmp" } };
 * new AgentLog("alpha").write("WARN", "agent", "The disk is almost full", options);
 * ```
 */
export interface LineOptions {
  /** Structured data for programs. The message of a `cause` is appended to the line. */
  readonly fields?: LineFields;
  /** A monitor that must not see the line, because the line is about it. */
  readonly except?: Monitor | undefined;
  /** The text was made here from checked parts and keeps its line breaks, but for one at the end. */
  readonly multiline?: boolean;
}

/**
 * Structured data of a line.
 *
 * @example
 * ```ts
 * import { AgentLog, type LineFields } from "@skein/agent";
 *
 * const fields: LineFields = { path: "/tmp", cause: new Error("No space left") };
 * new AgentLog("alpha").write("ERR", "agent", "Cannot write", { fields });
 * ```
 */
export type LineFields = Readonly<Record<string, unknown>>;

/**
 * Someone who sees every line of a log as it is written, and must not throw.
 *
 * @example
 * ```ts
 * import { AgentLog, type LogSink } from "@skein/agent";
 *
 * const sink: LogSink = (line, fields) => console.log(line.text(), fields);
 * const log = new AgentLog("alpha");
 * const end = log.addSink(sink);
 * log.write("INFO", "agent", "Hello");
 * end();
 * ```
 */
export type LogSink = (line: LogLine, fields: LineFields) => void;

/** Sees every line of every log of this process, and whose it is. Must not throw. */
export type LogForwarder = (node: string, line: LogLine, fields: LineFields) => void;

/** Of the process, as the log of the program is that the agents run in. */
let forward: LogForwarder | undefined;

/** Shows every new line of every log of this process to `forwarder`, in place of the one before. */
export function forwardLogs(forwarder: LogForwarder): void {
  forward = forwarder;
}

interface ActiveMonitor extends Monitor {
  readonly onLine: (line: string) => void;
}

/**
 * The log of one agent.
 *
 * @example
 * ```ts
 * import { Agent, AgentLog } from "@skein/agent";
 *
 * const log = new AgentLog("alpha");
 * const watch = log.monitor("WARN", (line) => console.error(line));
 * await using agent = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0", log });
 * console.log(agent.log.lines("INFO")[0]);
 * watch.stop();
 * ```
 */
export class AgentLog {
  /** Name of the node whose log it is. */
  readonly node: string;
  readonly #ring: LogLine[] = [];
  #next = 0;
  readonly #monitors = new Set<ActiveMonitor>();
  readonly #sinks = new Set<LogSink>();
  readonly #storm = new LogLimiter(performance);
  readonly #unexpected = new Set<(error: Error) => void>();

  /** An empty log of the agent on `node`. */
  constructor(node: string) {
    this.node = node;
  }

  /** How many monitors there are. */
  get monitors(): number {
    return this.#monitors.size;
  }

  /** A logger whose lines carry the name of a subsystem. */
  logger(subsystem: string): Logger {
    const write = (level: LogLevel) => (message: string, fields?: Record<string, unknown>): void =>
      this.write(level, subsystem, message, fields === undefined ? NO_OPTIONS : { fields });
    return { debug: write("DEBUG"), info: write("INFO"), warn: write("WARN"), error: write("ERR") };
  }

  /**
   * Adds a line. A `message` that costs something to make is given as a function, which is called only when someone
   * looks at the line. Control characters in it are shown as escapes.
   */
  write(
    level: LogLevel,
    subsystem: string,
    message: string | (() => string),
    options: LineOptions = NO_OPTIONS,
  ): void {
    const { fields = NO_FIELDS, multiline = false } = options;
    const line = new LogLine(level, subsystem, { message, cause: fields.cause, multiline });
    this.#ring[this.#next] = line;
    this.#next = (this.#next + 1) % RETAINED_LINES;
    for (const monitor of this.#monitors) {
      if (monitor !== options.except && passes(level, monitor.level)) monitor.onLine(line.format());
    }
    for (const sink of this.#sinks) sink(line, fields);
    forward?.(this.node, line, fields);
  }

  /**
   * Takes an error that nobody expected: a fault of the program itself. Logs it at ERR with its stack, at most one line
   * a second, and tells it to those who called {@linkcode AgentLog.onUnexpected}.
   */
  unexpected(thrown: unknown): void {
    const hidden = this.#storm.admit("");
    try {
      if (hidden === undefined) return;
      const text = `Unexpected error${hiddenNote(hidden)}: ${stackOf(thrown)}`;
      this.write("ERR", "agent", text, { multiline: true });
    } finally {
      // Also when a sink throws.
      for (const listener of this.#unexpected) listener(errorOf(thrown));
    }
  }

  /** Calls `listener`, which must not throw, with each error that nobody expected. Returns how to end that. */
  onUnexpected(listener: (error: Error) => void): () => void {
    this.#unexpected.add(listener);
    return () => void this.#unexpected.delete(listener);
  }

  /** The retained lines from `level` on, oldest first. */
  lines(level: LogLevel = "TRACE"): string[] {
    const ordered = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    return ordered.filter((line) => passes(line.level, level)).map((line) => line.format());
  }

  /** Calls `onLine` with each new line from `level` on. `onLine` must not throw. */
  monitor(level: LogLevel, onLine: (line: string) => void): Monitor {
    const monitor: ActiveMonitor = {
      level,
      onLine,
      stop: () => void this.#monitors.delete(monitor),
    };
    this.#monitors.add(monitor);
    return monitor;
  }

  /** Shows every new line to `sink`. Returns how to end that. */
  addSink(sink: LogSink): () => void {
    this.#sinks.add(sink);
    return () => void this.#sinks.delete(sink);
  }
}

const NO_OPTIONS: LineOptions = {};
const NO_FIELDS: LineFields = {};
