/**
 * One configured script and the events that wait for it (docs/spec/agent.md 6.9).
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import type { Metrics } from "../../cluster/runtime.ts";
import type { SerfEvent } from "../../cluster/serf/mod.ts";
import { selects } from "../../cluster/serf/model/event_filter.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import type { HandlerSpec } from "../config/handler_spec.ts";
import { background } from "../logging/background.ts";
import type { AgentLog } from "../logging/log.ts";
import { OUTPUT_LIMIT } from "./output_tail.ts";
import { scriptInput, type ScriptSelf, scriptVariables } from "./script_input.ts";
import { type ScriptResult, ScriptRun } from "./script_run.ts";

/** Events that wait for one script; one more is dropped. */
export const QUEUE_LIMIT = 1_024;

/** A run that takes longer is told of, in milliseconds (docs/spec/agent.md 6.9). */
const SLOW_MS = 1_000;

/** What handlers need of the agent. */
export interface HandlerSettings {
  /** Where their lines go. */
  readonly log: AgentLog;
  /** The own node at the time of a run. */
  self(): ScriptSelf;
  /** How long one run may take, in milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  /** Runs of one script at the same time, at least 1. */
  readonly concurrency: number;
  /** Where the time of each run goes, and how many failed or were dropped. */
  readonly metrics?: Metrics | undefined;
}

/** Runs one script on the events it is for. What it does, and how long it takes, concerns no other handler. */
export class EventHandler {
  /** The script and its filters. */
  readonly spec: HandlerSpec;
  readonly #settings: HandlerSettings;
  readonly #waiting: SerfEvent[] = [];
  /** Runs that have something open, be it only the output of a process that was left behind. */
  readonly #runs = new Set<ScriptRun>();
  readonly #ends = new Set<Promise<void>>();
  readonly #limiter = new LogLimiter(performance);
  #closed = false;
  #running = 0;
  /** Events that found no room. */
  dropped = 0;

  /** A handler with nothing to do. */
  constructor(spec: HandlerSpec, settings: HandlerSettings) {
    this.spec = spec;
    this.#settings = settings;
  }

  /** Runs of the script that are under way. */
  get running(): number {
    return this.#running;
  }

  /** Whether events wait or a run has something open. */
  get busy(): boolean {
    return this.#waiting.length + this.#runs.size > 0;
  }

  /** Takes an event: the script runs once for each filter that wants it. */
  handle(event: SerfEvent): void {
    if (this.#closed) return;
    for (const selector of this.spec.selectors) {
      if (!selects(selector, event)) continue;
      if (this.#waiting.length >= QUEUE_LIMIT) this.#drop(event);
      else this.#waiting.push(event);
    }
    this.#next();
  }

  /** Forgets what waits and ends what runs; that may take `graceMs` milliseconds by itself. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const run of this.#runs) run.stop(graceMs);
    await Promise.all([...this.#ends, ...[...this.#runs].map(({ released }) => released)]);
  }

  #next(): void {
    while (this.#running < this.#settings.concurrency) {
      const event = this.#waiting.shift();
      if (event === undefined) return;
      const end = this.#run(event)
        .catch((error: unknown) => this.#settings.log.unexpected(error))
        .finally(() => this.#ends.delete(end));
      this.#ends.add(end);
    }
  }

  async #run(event: SerfEvent): Promise<void> {
    const { script } = this.spec;
    const { log, metrics, self, timeoutMs } = this.#settings;
    const started = performance.now();
    let run: ScriptRun;
    try {
      const env = { ...Deno.env.toObject(), ...scriptVariables(event, self()) };
      run = new ScriptRun(script, { env, input: scriptInput(event), timeoutMs, log });
    } catch (error) {
      log.write("ERR", "agent", `Error invoking script '${script}': ${(error as Error).message}`);
      return;
    }
    this.#runs.add(run);
    this.#running++;
    const slow = setTimeout(() => {
      log.write("WARN", "agent", `Script '${script}' slow, execution exceeding 1s`);
    }, SLOW_MS);
    background(run.released.then(() => void this.#runs.delete(run)), log);
    const result = await run.finished;
    clearTimeout(slow);
    this.#running--;
    metrics?.sample(`agent.invoke.${script}`, performance.now() - started);
    this.#conclude(event, result);
    this.#next();
  }

  #conclude(event: SerfEvent, { output, written, problem, lingered }: ScriptResult): void {
    const { log } = this.#settings;
    const { script } = this.spec;
    const warn = (text: string): void => log.write("WARN", "agent", text);
    if (written > OUTPUT_LIMIT) {
      warn(`Script '${script}' generated ${written} bytes of output, truncated to ${OUTPUT_LIMIT}`);
    }
    if (lingered) {
      warn(`Script '${script}' ended, but a process that it started still holds its output`);
    }
    log.write("DEBUG", "agent", () => {
      const text = decodeUtf8(output).replace(/\n$/, "");
      return `Event '${event.type}' script output: ${text}`;
    });
    if (problem !== undefined) {
      this.#settings.metrics?.count("agent.invoke.failed");
      log.write("ERR", "agent", `Error invoking script '${script}': ${problem}`);
    } else if (event.type === "query" && written > 0) {
      try {
        event.respond(output);
      } catch (error) {
        const reason = (error as Error).message;
        warn(`Failed to respond to query 'query: ${event.name}': ${reason}`);
      }
    }
  }

  #drop(event: SerfEvent): void {
    this.dropped++;
    this.#settings.metrics?.count("agent.invoke.dropped");
    const hidden = this.#limiter.admit("");
    if (hidden === undefined) return;
    const text = `Dropping event '${event.type}' for script '${this.spec.script}': ` +
      `${QUEUE_LIMIT} events wait`;
    this.#settings.log.write("WARN", "agent", text + hiddenNote(hidden));
  }
}
