/**
 * What `skein agent` prints: messages at once, log lines behind a gate (agent.md 6.1).
 *
 * @module
 */

import type { AgentLog, LogLevel, Monitor } from "../logging.ts";

/** Log lines that are held back until the agent runs; more are not shown, but the log's ring has the newest. */
const MAX_HELD_LINES = 4_096;

/** The printed side of an agent. */
export class Console {
  readonly #print: (text: string) => void;
  #held: string[] | undefined = [];
  #monitor: Monitor | undefined;

  /** @param print Prints a text and ends the line. */
  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Prints a message of the agent. */
  say(text: string): void {
    this.#print(`==> ${text}`);
  }

  /** Prints a line of detail. */
  info(text: string): void {
    this.#print(text === "" ? "" : `    ${text}`);
  }

  /** Takes the lines of a log from `level` on; nothing is shown before {@linkcode Console.openGate}. */
  attach(log: AgentLog, level: LogLevel): void {
    this.#monitor = log.monitor(level, (line) => {
      if (this.#held === undefined) this.info(line);
      else if (this.#held.length < MAX_HELD_LINES) this.#held.push(line);
    });
  }

  /** Changes the level of the shown lines. */
  setLevel(level: LogLevel): void {
    if (this.#monitor !== undefined) this.#monitor.level = level;
  }

  /** Shows what was held back, and everything from now on. */
  openGate(): void {
    for (const line of this.#held ?? []) this.info(line);
    this.#held = undefined;
  }
}
