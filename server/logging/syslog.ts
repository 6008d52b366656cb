/**
 * Log lines in syslog (docs/spec/agent.md 6.6).
 *
 * The local syslog takes datagrams on a Unix socket, which Deno sends only with an unstable flag. So the lines go to
 * the standard input of one `logger` of util-linux, which also opens the socket anew when syslog was restarted. When it
 * ends all the same, it is started again.
 *
 * @module
 */

import { background, guarded } from "./background.ts";
import type { LevelFilter, LogLevel } from "./levels.ts";
import type { AgentLog, LogLine } from "./log.ts";
import { facilityNumber } from "./syslog_facility.ts";

/** Name under which the lines appear, as those of Serf (docs/spec/agent.md 6.6). */
const TAG = "serf";

/** RFC 5424 severities of the levels, as Serf maps them (docs/spec/agent.md 6.6). */
const SEVERITIES: Readonly<Record<LogLevel, number>> = {
  TRACE: 7,
  DEBUG: 6,
  INFO: 5,
  WARN: 4,
  ERR: 3,
};

/** Lines that wait for a slow or absent syslog; more are lost, and counted. */
const MAX_WAITING_LINES = 1_000;

/** Lines that are written at a time. */
const BATCH_LINES = 64;

/** Longest line in bytes; what is longer becomes a line of its own. */
const MAX_LINE_BYTES = 8_192;

/** First and longest pause before `logger` is started again, in milliseconds. */
const RESTART_MS = { first: 1_000, longest: 60_000 } as const;

/** How long `logger` may take to write the last lines, in milliseconds. */
const CLOSE_MS = 1_000;

/**
 * Runs a program that ignores what ends the agent. A supervisor, or a terminal, may send that to all processes of a service,
 * and the last lines come after it.
 */
const UNTOUCHED = 'trap "" HUP INT TERM; exec "$0" "$@"';

/** There is no syslog to write to. The message has the form of the Go agent. */
export class SyslogError extends Error {
  /** "SyslogError". */
  override readonly name = "SyslogError";
}

/** What {@linkcode Syslog.open} needs to know. */
export interface SyslogOptions {
  /** Name of the facility, in any case. */
  readonly facility: string;
  /** Whose lines are written. */
  readonly log: AgentLog;
  /** Which of its lines. */
  readonly filter: LevelFilter;
  /** The program that writes them. Default: `logger` in the path. */
  readonly program?: string;
  /** The socket of syslog. Default: /dev/log. */
  readonly socket?: string;
  /** First pause before the program is started again, in milliseconds. Default: 1,000. */
  readonly restartMs?: number;
}

/** A way from a log to syslog, until it is disposed of. */
export class Syslog implements AsyncDisposable {
  /** Which lines are written. May be changed. */
  filter: LevelFilter;
  readonly #log: AgentLog;
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #facility: number;
  readonly #firstPauseMs: number;
  readonly #waiting: string[] = [];
  readonly #detach: () => void;
  #lost = 0;
  #child: Deno.ChildProcess | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #writing: Promise<void> | undefined;
  #pauseMs: number;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  private constructor(options: SyslogOptions, facility: number, socket: string) {
    const { log, filter, program = "logger", restartMs = RESTART_MS.first } = options;
    this.filter = filter;
    this.#log = log;
    this.#program = program;
    this.#facility = facility;
    this.#firstPauseMs = restartMs;
    this.#pauseMs = restartMs;
    this.#args = [
      "--prio-prefix",
      "--socket-errors=on",
      `--socket=${socket}`,
      `--tag=${TAG}`,
      `--id=${Deno.pid}`,
      `--size=${MAX_LINE_BYTES}`,
      `--priority=${options.facility.toLowerCase()}.notice`,
    ];
    this.#start();
    this.#detach = log.addSink((line) => this.#receive(line));
  }

  /**
   * Writes the lines of a log from now on.
   *
   * @throws {SyslogError} when there is no such facility, no socket of syslog, or no `logger` of util-linux.
   */
  static async open(options: SyslogOptions): Promise<Syslog> {
    const facility = facilityNumber(options.facility);
    if (facility === undefined) {
      throw new SyslogError(`Syslog setup failed: invalid syslog facility: ${options.facility}`);
    }
    const { program = "logger", socket = "/dev/log" } = options;
    try {
      await Deno.stat(socket);
    } catch (cause) {
      throw new SyslogError("Syslog setup failed: Unix syslog delivery error", { cause });
    }
    await requireLogger(program);
    return new Syslog(options, facility, socket);
  }

  /** Writes what is waiting, if `logger`, started once more when it is not there, takes it within a second, and ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#detach();
    this.#closed = true;
    clearTimeout(this.#restart);
    if (this.#child === undefined && this.#waiting.length > 0) this.#start();
    const child = this.#child;
    if (child === undefined) return;
    const timer = setTimeout(() => kill(child), CLOSE_MS);
    try {
      await this.#writing;
      await this.#writer?.close().catch(() => {}); // The program may have ended by itself.
      await child.status;
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(line: LogLine): void {
    if (!this.filter.admits(line.level, line.subsystem)) return;
    this.#queue(line.level, `${line.subsystem}: ${line.text().replace(/\s*\n\s*/g, " ")}`);
  }

  #queue(level: LogLevel, text: string): void {
    if (this.#waiting.length >= MAX_WAITING_LINES) {
      this.#lost++;
      return;
    }
    this.#waiting.push(`<${this.#facility * 8 + SEVERITIES[level]}>${text}\n`);
    this.#pump();
  }

  #pump(): void {
    const idle = this.#writing === undefined && this.#writer !== undefined;
    if (idle && this.#waiting.length > 0) this.#writing = this.#write();
  }

  async #write(): Promise<void> {
    const encoder = new TextEncoder();
    try {
      while (this.#waiting.length > 0 && this.#writer !== undefined) {
        const batch = this.#waiting.slice(0, BATCH_LINES);
        await this.#writer.write(encoder.encode(batch.join("")));
        this.#waiting.splice(0, batch.length);
        if (this.#waiting.length === 0 && this.#lost > 0) this.#tellLost();
      }
    } catch {
      // The program ended; what was not written waits for the next one.
    } finally {
      this.#writing = undefined;
    }
  }

  #tellLost(): void {
    const lost = this.#lost;
    this.#lost = 0;
    const text = `agent: ${lost} lines are missing here, because syslog was too slow or absent\n`;
    this.#waiting.push(`<${this.#facility * 8 + SEVERITIES.WARN}>${text}`);
  }

  #start(): void {
    const started = performance.now();
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command("/bin/sh", {
        args: ["-c", UNTOUCHED, this.#program, ...this.#args],
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
    } catch (error) {
      this.#startLater((error as Error).message);
      return;
    }
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#writer.closed.catch(() => {}); // A write finds that, or the end of the program.
    background(this.#restartAfter(child, started), this.#log);
    this.#pump();
  }

  async #restartAfter(child: Deno.ChildProcess, started: number): Promise<void> {
    const { code } = await child.status;
    const writer = this.#writer;
    this.#child = undefined;
    this.#writer = undefined;
    await writer?.abort().catch(() => {}); // Its reader has gone.
    if (performance.now() - started > RESTART_MS.longest) this.#pauseMs = this.#firstPauseMs;
    this.#startLater(`exit status ${code}`);
  }

  #startLater(reason: string): void {
    if (this.#closed) return;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, RESTART_MS.longest);
    this.#restart = setTimeout(guarded(() => this.#start(), this.#log), pauseMs);
    const text =
      `'${this.#program}' for syslog ended: ${reason}. It is started again in ${pauseMs} ms`;
    this.#log.write("WARN", "agent", text);
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** BusyBox and BSD have a `logger`, too, which does not read a level for each line. */
async function requireLogger(program: string): Promise<void> {
  const needs = `it needs '${program}' of util-linux`;
  let version: string;
  try {
    const { stdout } = await new Deno.Command(program, {
      args: ["--version"],
      stdin: "null",
      stderr: "null",
    }).output();
    version = new TextDecoder().decode(stdout.subarray(0, 1_024));
  } catch (cause) {
    throw new SyslogError(`Syslog setup failed: ${needs}: ${(cause as Error).message}`, { cause });
  }
  if (!version.includes("util-linux")) throw new SyslogError(`Syslog setup failed: ${needs}`);
}
