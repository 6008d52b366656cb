/**
 * Whoever wants to hear of an agent's events.
 *
 * @module
 */

import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import type { AgentLog } from "../../logging/log.ts";
import { titleOf } from "../log_text.ts";
import { HandlerFaults } from "./handler_error.ts";

/** Passes every event on to any number of listeners, in order. */
export class Listeners {
  readonly #log: AgentLog;
  readonly #faults: HandlerFaults;
  readonly #listeners = new Set<(event: SerfEvent) => void>();

  /** Nobody listens yet. What listeners throw goes to `faults`. */
  constructor(log: AgentLog, faults: HandlerFaults = new HandlerFaults(log)) {
    this.#log = log;
    this.#faults = faults;
  }

  /** Calls `listener` with every event from now on. Returns how to end that. */
  add(listener: (event: SerfEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Logs an event and tells it to everyone. A listener that throws harms no other one. */
  tell(event: SerfEvent): void {
    this.#log.write("INFO", "agent", () => `Received event: ${titleOf(event)}`);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (cause) {
        this.#faults.listener(event, cause);
      }
    }
  }
}
