/**
 * The log of one agent (agent.md 6.6): classic lines, a ring of the newest ones, and monitors that see them live.
 *
 * Every line is also offered to LogTape under the category `["skein", subsystem]` with the node's name as the property
 * `node`. This module never configures LogTape, so that two agents in one process keep their lines apart and a
 * program that imports skein decides by its own configuration what becomes of them.
 *
 * @module
 */

import {
  getLogger,
  type Logger as LogTapeLogger,
  sanitizeControlSequences,
} from "@logtape/logtape";
import type { Logger } from "../cluster/runtime.ts";
import { type LogLevel, passes } from "./logging/levels.ts";

export { LOG_LEVELS, type LogLevel, parseLogLevel } from "./logging/levels.ts";

/** Lines that the log keeps for monitors that come later (agent.md 6.6). */
export const RETAINED_LINES = 512;

/** Longest text of one line in UTF-16 units; the rest is cut, so that the ring takes at most about 8 MiB. */
const MAX_TEXT = 8_192;

/** What each level is called in LogTape. */
const LOGTAPE_LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warning",
  ERR: "error",
} as const;

/** Characters that could forge, hide or reorder a line. Tab is harmless. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Someone who sees the lines of a log from a level on. */
export interface Monitor {
  /** The least urgent level it sees. May be changed. */
  level: LogLevel;
  /** Ends it; no line follows. */
  stop(): void;
}

/** What a line carries besides its text. */
export interface LineOptions {
  /** Structured data for LogTape. The message of a `cause` is appended to the line. */
  readonly fields?: Record<string, unknown>;
  /** A monitor that must not see the line, because the line is about it. */
  readonly except?: Monitor | undefined;
  /** The text was made here from checked parts and keeps its line breaks, but for one at the end. */
  readonly multiline?: boolean;
}

interface ActiveMonitor extends Monitor {
  readonly onLine: (line: string) => void;
}

/** The log of one agent. */
export class AgentLog {
  readonly #node: string;
  readonly #ring: Line[] = [];
  #next = 0;
  readonly #monitors = new Set<ActiveMonitor>();
  readonly #forward = new Map<string, LogTapeLogger>();

  /** An empty log of the agent on `node`, which LogTape gets as a property. */
  constructor(node: string) {
    this.#node = node;
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
    const line = new Line(level, subsystem, message, options);
    this.#ring[this.#next] = line;
    this.#next = (this.#next + 1) % RETAINED_LINES;
    for (const monitor of this.#monitors) {
      if (monitor !== options.except && passes(level, monitor.level)) monitor.onLine(line.format());
    }
    this.#forwardToLogTape(line, options);
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

  #forwardToLogTape(line: Line, options: LineOptions): void {
    let logger = this.#forward.get(line.subsystem);
    if (logger === undefined) {
      logger = getLogger(["skein", line.subsystem]);
      this.#forward.set(line.subsystem, logger);
    }
    const level = LOGTAPE_LEVELS[line.level];
    if (!logger.isEnabledFor(level)) return;
    const text = line.text();
    const properties = { node: this.#node, ...options.fields };
    logger.emit({ timestamp: line.time, level, message: [text], rawMessage: text, properties });
  }
}

const NO_OPTIONS: LineOptions = {};

/** One line; its text is made when it is first looked at. */
class Line {
  readonly level: LogLevel;
  readonly subsystem: string;
  readonly time: number = Date.now();
  readonly #multiline: boolean;
  #message: string | (() => string);
  #safe = false;

  constructor(
    level: LogLevel,
    subsystem: string,
    message: string | (() => string),
    options: LineOptions,
  ) {
    this.level = level;
    this.subsystem = subsystem;
    this.#multiline = options.multiline === true;
    const cause = options.fields?.cause;
    if (cause !== undefined) {
      const text = typeof message === "function" ? message() : message;
      this.#message = `${text}: ${cause instanceof Error ? cause.message : String(cause)}`;
    } else {
      this.#message = message;
    }
    if (typeof this.#message === "string" && this.#message.length > MAX_TEXT) this.text();
  }

  text(): string {
    const message = typeof this.#message === "function" ? this.#message() : this.#message;
    if (this.#safe) return message;
    const cut = message.length > MAX_TEXT ? detached(message.slice(0, MAX_TEXT)) + "..." : message;
    this.#message = this.#multiline ? cut.replace(/\n$/, "") : escapeControls(cut);
    this.#safe = true;
    return this.#message;
  }

  format(): string {
    return `${timestamp(this.time)} [${this.level}] ${this.subsystem}: ${this.text()}`;
  }
}

/** `text` with everything that could forge or disturb a line as a visible escape. */
export function escapeControls(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return sanitizeControlSequences(text, { newlines: "escape", sgr: "escape" }).replace(
    /[\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16)}`,
  );
}

/** A copy that does not keep the longer text alive that it was sliced from. */
function detached(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

let stampedSecond = NaN;
let stamp = "";

/** `2006/01/02 15:04:05` in local time; made once per second. */
function timestamp(ms: number): string {
  const second = Math.floor(ms / 1_000);
  if (second === stampedSecond) return stamp;
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  stamp = `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  stampedSecond = second;
  return stamp;
}
