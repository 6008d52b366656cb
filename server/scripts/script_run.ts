/**
 * One run of a script: a shell in a process group of its own, fed, listened to, and ended in time.
 *
 * `node:child_process` is used because it can let go of pipes that somebody else still holds: a write to a
 * `Deno.ChildProcess` that nobody reads could never be given up.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import type { Timer } from "../../cluster/runtime.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { guarded, type UnexpectedLog } from "../logging/background.ts";
import { realClock } from "../runtime.ts";
import { OutputTail } from "./output_tail.ts";

/** How long a script may take to end after SIGTERM, in milliseconds: when its time is over, and when the agent's is. */
const KILL_GRACE_MS = { timeout: 5_000, end: 500 } as const;

/**
 * How long the output of a script is read after its end, in milliseconds, when a process that it left behind still holds
 * it. What the script itself has printed waits in the pipe by then.
 */
const LAST_READ_MS = 100;

/** How long such a process can go on printing, to nobody, in milliseconds. */
const LINGER_MS = 5_000;

/** How long a killed process may take to be gone, in milliseconds; one in the kernel's hands may never be. */
const REAP_MS = 1_000;

/** Output above this many bytes is read slowly, so that a flood does not keep the agent from its work. */
const FLOOD_BYTES = 1 << 20;

/** Pause between two reads of a flood, of up to 64 KiB each, in milliseconds. */
const FLOOD_PAUSE_MS = 10;

/** What a run needs to know. */
export interface ScriptOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What the script can read. */
  readonly input: Uint8Array;
  /** How long it may take, in milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  /** Gets errors that nobody expected. */
  readonly log: UnexpectedLog;
}

/** How a run ended. */
export interface ScriptResult {
  /** The last bytes that it printed, both streams in order. */
  readonly output: Uint8Array;
  /** Bytes that it printed. */
  readonly written: number;
  /** Why it counts as failed, as Serf words it: `exit status 3`. */
  readonly problem: string | undefined;
  /** Whether a process that it started still held its output when it was no longer waited for. */
  readonly lingered: boolean;
}

/** A script that runs. */
export class ScriptRun {
  /** Resolves when the script has ended and its output is read. Never rejects. */
  readonly finished: Promise<ScriptResult>;
  /** Resolves when nothing of it is held any more: later than the end when it left processes behind. Never rejects. */
  readonly released: Promise<void>;
  readonly #child: ChildProcess;
  readonly #log: UnexpectedLog;
  readonly #tail = new OutputTail();
  readonly #timers = new Set<Timer>();
  readonly #finish: (result: ScriptResult) => void;
  readonly #markReleased: () => void;
  #exited = false;
  #closed = false;
  #problem: string | undefined;
  #verdict: string | undefined;
  #timeLimit: Timer | undefined;
  #finished = false;
  #done = false;

  /** Starts `script`. An error of the system becomes the result's problem. */
  constructor(script: string, { env, input, log, timeoutMs }: ScriptOptions) {
    const { promise, resolve } = Promise.withResolvers<ScriptResult>();
    this.finished = promise;
    this.#finish = resolve;
    const released = Promise.withResolvers<void>();
    this.released = released.promise;
    this.#markReleased = released.resolve;
    this.#log = log;
    this.#child = start(script, env);
    const child = this.#child;
    const onError = (error: Error): void => this.#onExit(error.message);
    child.on("error", guarded(onError, log));
    const onExit = (code: number | null, signal: string | null): void =>
      this.#onExit(problemOf(code, signal));
    child.on("exit", guarded(onExit, log));
    child.stdin?.on("error", () => {}); // The script need not read.
    child.stdin?.end(Buffer.from(input));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", guarded((bytes: Uint8Array) => this.#onOutput(bytes), log));
      stream?.on("error", () => {});
    }
    const onClose = (): void => {
      this.#closed = true;
      this.#settle();
    };
    child.on("close", guarded(onClose, log));
    if (timeoutMs > 0) {
      const verdict = `no end within ${formatDuration(timeoutMs)}, killed`;
      this.#timeLimit = this.#after(timeoutMs, () => this.#end(verdict, KILL_GRACE_MS.timeout));
    }
  }

  /**
   * Gives it `graceMs` milliseconds to end by itself, and ends its whole process group then. What a script left behind
   * that ended by itself is let go at once, and lives on.
   */
  stop(graceMs: number): void {
    if (this.#finished && this.#verdict === undefined) this.#release();
    else this.#after(graceMs, () => this.#end("the agent ends, killed", KILL_GRACE_MS.end));
  }

  #end(verdict: string, graceMs: number): void {
    this.#verdict ??= verdict;
    this.#signal("SIGTERM");
    this.#after(graceMs, () => {
      this.#signal("SIGKILL");
      this.#after(REAP_MS, () => this.#release());
    });
  }

  #onOutput(bytes: Uint8Array): void {
    this.#tail.add(bytes);
    if (this.#tail.total <= FLOOD_BYTES) return;
    const { stdout, stderr } = this.#child;
    for (const stream of [stdout, stderr]) stream?.pause();
    this.#after(FLOOD_PAUSE_MS, () => {
      for (const stream of [stdout, stderr]) stream?.resume();
    });
  }

  #onExit(problem: string | undefined): void {
    if (this.#exited) return;
    this.#exited = true;
    this.#problem = problem;
    this.#child.stdin?.destroy();
    const { stdout } = this.#child;
    if (stdout === null || stdout === undefined || this.#child.pid === undefined) this.#release();
    else this.#after(LAST_READ_MS, () => this.#linger());
    this.#settle();
  }

  /** Gives the result, and reads on, to nobody, so that what is left behind does not die of its next line at once. */
  #linger(): void {
    this.#conclude();
    this.#timeLimit?.cancel();
    this.#after(LINGER_MS - LAST_READ_MS, () => this.#release());
  }

  #settle(): void {
    if (this.#exited && this.#closed) this.#release();
  }

  /** Lets go of everything; what still runs is on its own. */
  #release(): void {
    if (this.#done) return;
    this.#done = true;
    for (const timer of this.#timers) timer.cancel();
    const { stdin, stdout, stderr } = this.#child;
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    if (this.#child.pid !== undefined) this.#child.unref();
    this.#conclude();
    this.#markReleased();
  }

  #conclude(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#finish({
      output: this.#tail.bytes(),
      written: this.#tail.total,
      problem: this.#verdict ?? this.#problem,
      lingered: this.#exited && !this.#closed,
    });
  }

  /** A signal for the script and every process that it started, but those that made a group of their own. */
  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (Deno.build.os !== "windows") return Deno.kill(-pid, signal);
    } catch {
      // All of them are gone; or this program may not send signals, but to its child.
    }
    this.#child.kill(signal);
  }

  #after(ms: number, work: () => void): Timer | undefined {
    if (this.#done) return undefined;
    const due = (): void => {
      this.#timers.delete(timer);
      work();
    };
    const timer = realClock.setTimer(ms, guarded(due, this.#log));
    this.#timers.add(timer);
    return timer;
  }
}

/** Both outputs go into one pipe, so that they keep their order. A group of its own makes one signal reach all. */
function start(script: string, env: Readonly<Record<string, string>>): ChildProcess {
  if (Deno.build.os === "windows") {
    return spawn("cmd", ["/C", script], { env: { ...env }, windowsVerbatimArguments: true });
  }
  const { plain, exports } = divide(env);
  const text = script.isWellFormed() ? '"$1"' : `"$(printf %b ${octal(script)})"`;
  const args = ["-c", `${exports}exec "$0" -c ${text} 2>&1`, "/bin/sh", script];
  const stdio: ["pipe", "pipe", "ignore"] = ["pipe", "pipe", "ignore"];
  return spawn("/bin/sh", args, { env: plain, stdio, detached: true });
}

/**
 * The runtime gives a process variables and arguments that are valid Unicode only: the shell makes those with other bytes
 * out of octal numbers. What comes after the value keeps line breaks at its end.
 */
function divide(env: Readonly<Record<string, string>>): {
  readonly plain: Record<string, string>;
  readonly exports: string;
} {
  const plain = { ...env };
  let exports = "";
  for (const [name, value] of Object.entries(env)) {
    if (value.isWellFormed()) continue;
    delete plain[name];
    exports += `${name}=$(printf %b. ${octal(value)}); export ${name}="\${${name}%.}"; `;
  }
  return { plain, exports };
}

/** The bytes of a text as `%b` of `printf` reads them, quoted for the shell. */
function octal(text: string): string {
  const bytes = Array.from(encodeUtf8(text), (byte) => `\\0${byte.toString(8).padStart(3, "0")}`);
  return `'${bytes.join("")}'`;
}

/** What Go calls the signals that end processes. */
const SIGNAL_TEXTS: Readonly<Record<string, string>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGQUIT: "quit",
  SIGILL: "illegal instruction",
  SIGABRT: "aborted",
  SIGFPE: "floating point exception",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGPIPE: "broken pipe",
  SIGALRM: "alarm clock",
  SIGTERM: "terminated",
};

function problemOf(code: number | null, signal: string | null): string | undefined {
  if (signal !== null) return `signal: ${SIGNAL_TEXTS[signal] ?? signal}`;
  return code === 0 ? undefined : `exit status ${code}`;
}
