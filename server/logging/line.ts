/**
 * One line of the log, made when it is first looked at.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8, showBytes } from "../../protocol/text.ts";
import type { LogLevel } from "./levels.ts";

/** Longest text of one line in UTF-16 units; the rest is cut, so that the ring takes at most about 8 MiB. */
const MAX_TEXT = 8_192;

/** Characters that could forge, hide or reorder a line. Tab is harmless. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** How the text of a line is made. */
export interface LineText {
  /** The message, or how to make it. */
  readonly message: string | (() => string);
  /** An error whose message is appended. */
  readonly cause?: unknown;
  /** Whether the text was made here from checked parts and keeps its line breaks, but for one at the end. */
  readonly multiline: boolean;
}

/**
 * One line; its text is made when it is first looked at.
 *
 * @example
 * ```ts
 * import { AgentLog } from "@skein/agent";
 *
 * const log = new AgentLog("alpha");
 * log.addSink((line) => console.log(line.level, line.subsystem, line.text()));
 * log.write("WARN", "agent", "The disk is almost full");
 * ```
 */
export class LogLine {
  /** How urgent it is. */
  readonly level: LogLevel;
  /** What it is about. */
  readonly subsystem: string;
  /** When it was written, in milliseconds since 1970. */
  readonly time: number = Date.now();
  readonly #multiline: boolean;
  #message: string | (() => string);
  #safe = false;

  /** A line of now. */
  constructor(level: LogLevel, subsystem: string, { message, cause, multiline }: LineText) {
    this.level = level;
    this.subsystem = subsystem;
    this.#multiline = multiline;
    if (cause !== undefined) {
      const text = typeof message === "function" ? message() : message;
      this.#message = `${text}: ${cause instanceof Error ? cause.message : String(cause)}`;
    } else {
      this.#message = message;
    }
    if (typeof this.#message === "string" && this.#message.length > MAX_TEXT) this.text();
  }

  /** The text without time, level and subsystem. Nothing in it can forge another line. */
  text(): string {
    const message = typeof this.#message === "function" ? this.#message() : this.#message;
    if (this.#safe) return message;
    const cut = message.length > MAX_TEXT ? detached(message.slice(0, MAX_TEXT)) + "..." : message;
    this.#message = this.#multiline ? showBytes(cut).replace(/\n$/, "") : escapeControls(cut);
    this.#safe = true;
    return this.#message;
  }

  /** The whole line in Serf's form (docs/spec/agent.md 6.6). */
  format(): string {
    return `${timestamp(this.time)} [${this.level}] ${this.subsystem}: ${this.text()}`;
  }
}

/** `text` with everything that could forge or disturb a line, and bytes that are no UTF-8, as visible escapes. */
export function escapeControls(text: string): string {
  return showBytes(text).replace(UNSAFE, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    const code = char.charCodeAt(0);
    return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

/** A copy that does not keep the longer text alive that it was sliced from. */
function detached(text: string): string {
  return decodeUtf8(encodeUtf8(text));
}

/** The text of the second that was asked for last: it is the same for whoever asks. */
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
