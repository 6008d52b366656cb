/**
 * A command that runs as long as a lock is held, and the signals that it gets.
 *
 * @module
 */

import type { KvLock } from "../../../client/mod.ts";

/** A running command; it has the standard streams of this process. */
export class Child {
  /** Resolves with its exit code; 128 and the number of the signal that ended it. */
  readonly exited: Promise<number>;
  readonly #process: Deno.ChildProcess;
  #isOver = false;

  /** Starts it, with more variables than this process has. Throws when it cannot be started. */
  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#process = new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    this.exited = this.#process.status.then(({ code }) => {
      this.#isOver = true;
      return code;
    });
  }

  /** Sends a signal, unless it has ended. */
  kill(signal: Deno.Signal): void {
    if (this.#isOver) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      // It has just ended.
      if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
    }
  }

  /**
   * Ends it in time: SIGTERM when only `graceMs` are left of the lock, or it is lost already, and SIGKILL so much later. `tell` is
   * called with the reason. Returns what gives that up; it resolves when all is told, with whether it came to that.
   */
  endBefore(
    held: KvLock,
    graceMs: number,
    tell: (reason: string) => Promise<void>,
  ): () => Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let telling = Promise.resolve();
    let isEnding = false;
    const end = (): void => {
      if (isEnding) return;
      isEnding = true;
      clearTimeout(timer);
      this.kill("SIGTERM");
      timer = setTimeout(() => this.kill("SIGKILL"), graceMs);
      const { aborted, reason } = held.signal;
      telling = tell(aborted ? reason.message : `Lock '${held.key}' is not renewed`);
    };
    const look = (): void => {
      const left = held.leftMs - graceMs;
      if (left <= 0) return end();
      timer = setTimeout(look, left);
    };
    held.signal.addEventListener("abort", end);
    look();
    return async () => {
      clearTimeout(timer);
      held.signal.removeEventListener("abort", end);
      await telling;
      return isEnding;
    };
  }
}

/** Numbers of the signals that end a process, unless it has other plans. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Windows has no others that can be waited for. */
const CAUGHT = Deno.build.os === "windows" ? ["SIGINT"] as const : Object.keys(NUMBERS) as (
  keyof typeof NUMBERS
)[];

/** Catches the signals that would end this process, up to its disposal. */
export class SignalTrap implements Disposable {
  readonly #first = new AbortController();
  readonly #listeners: [signal: Deno.Signal, listener: () => void][] = [];
  #code = 0;
  #passOn: ((signal: Deno.Signal) => void) | undefined;

  /** Begins. */
  constructor() {
    for (const signal of CAUGHT) {
      const listener = (): void => this.#take(signal);
      Deno.addSignalListener(signal, listener);
      this.#listeners.push([signal, listener]);
    }
  }

  /** Fires with the first signal that nobody takes. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** The exit code of a process that this signal ends. */
  get code(): number {
    return this.#code;
  }

  /** From now on signals go to somebody else. */
  passOn(to: (signal: Deno.Signal) => void): void {
    this.#passOn = to;
  }

  /** Lets signals end this process again. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }

  #take(signal: keyof typeof NUMBERS): void {
    if (this.#passOn === undefined) {
      this.#code = 128 + NUMBERS[signal];
      this.#first.abort();
      return;
    }
    // A terminal sends it to all processes in front.
    if (signal !== "SIGINT" || !Deno.stdin.isTerminal()) this.#passOn(signal);
  }
}
