/**
 * What `skein agent` prints: messages at once, log lines behind a gate (docs/spec/agent.md 6.1), for people or as JSON.
 *
 * @module
 */

import { jsonLine } from "../logging/json.ts";
import { LevelFilter, type LogFormat, type LogLevel } from "../logging/levels.ts";
import type { AgentLog } from "../logging/log.ts";

/** Log lines that are held back until the agent runs; more are not shown, but the log's ring has the newest. */
const MAX_HELD_LINES = 4_096;

/** Values of a message, for JSON. */
export type MessageFields = Readonly<Record<string, unknown>>;

/** The printed side of an agent. As JSON, every printed line is one object. */
export class Console {
  /** Form of all that is printed from now on. */
  format: LogFormat = "text";
  /** Name of the node, for JSON; "" as long as it is not known. */
  node = "";
  /** Which log lines are shown. */
  filter: LevelFilter = new LevelFilter("INFO");
  readonly #print: (text: string) => void;
  #held: string[] | undefined = [];

  /** @param print Prints a text and ends the line. */
  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Prints a message of the agent. The fields show in JSON only. */
  say(text: string, fields: MessageFields = {}): void {
    this.#message("INFO", text, fields);
  }

  /** Prints what the operator should change. */
  warn(text: string): void {
    this.#message("WARN", text, {});
  }

  /** Prints why something cannot be done. */
  fail(text: string): void {
    this.#message("ERR", text, {});
  }

  /** Prints a line of detail. */
  info(text: string): void {
    if (this.format === "json") this.#message("INFO", text, {});
    else this.#print(`    ${text}`);
  }

  /** Prints lines of detail about the last message, which JSON shows as fields of that message. */
  detail(text: string): void {
    if (this.format === "text") this.#print(text === "" ? "" : `    ${text}`);
  }

  /** Takes the lines of a log that the filter admits; nothing is shown before {@linkcode Console.openGate}. */
  attach(log: AgentLog): void {
    log.addSink((line, fields) => {
      if (!this.filter.admits(line.level, line.subsystem)) return;
      const text = this.format === "text"
        ? `    ${line.format()}`
        : this.#json(line.level, line.text(), fields, line);
      if (this.#held === undefined) this.#print(text);
      else if (this.#held.length < MAX_HELD_LINES) this.#held.push(text);
    });
  }

  /** Shows what was held back, and everything from now on. */
  openGate(): void {
    for (const text of this.#held ?? []) this.#print(text);
    this.#held = undefined;
  }

  #message(level: LogLevel, text: string, fields: MessageFields): void {
    if (this.format === "text") return this.#print(`==> ${text}`);
    const about = { subsystem: "agent", time: Date.now() };
    this.#print(this.#json(level, text.trim(), fields, about));
  }

  #json(
    level: LogLevel,
    message: string,
    fields: MessageFields,
    { time, subsystem }: { time: number; subsystem: string },
  ): string {
    return jsonLine({ time, level, node: this.node, subsystem, message, fields });
  }
}
