/**
 * Whoever wants to hear of an agent's events.
 *
 * @module
 */

import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import type { AgentLog } from "../../logging/log.ts";
import { titleOf } from "../log_text.ts";

/** Passes every event on to any number of listeners, in order. */
export class Listeners {
  readonly #log: AgentLog;
  readonly #listeners = new Set<(event: SerfEvent) => void>();

  /** Nobody listens yet. */
  constructor(log: AgentLog) {
    this.#log = log;
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
        this.#log.write("ERR", "agent", "A listener failed on an event", { fields: { cause } });
      }
    }
  }
}
