/**
 * Event handler scripts (docs/spec/agent.md 6.9). To be loaded when there are any.
 *
 * @module
 */

import type { SerfEvent } from "../../cluster/serf/mod.ts";
import type { HandlerSpec } from "../config/handler_spec.ts";
import { closeTogether } from "../net/closing.ts";
import { EventHandler, type HandlerSettings } from "./event_handler.ts";

export type { HandlerSettings } from "./event_handler.ts";
export type { ScriptSelf } from "./script_input.ts";

/** How long running scripts may take to end by themselves when the agent ends, in milliseconds. */
const END_GRACE_MS = 1_000;

/** The event handler scripts of an agent. */
export class ScriptHandlers implements AsyncDisposable {
  readonly #settings: HandlerSettings;
  #handlers: EventHandler[];
  /** Handlers of an earlier configuration that still have something to do. */
  #retired: EventHandler[] = [];
  #droppedBefore = 0;

  /** Handlers that wait for events. */
  constructor(specs: readonly HandlerSpec[], settings: HandlerSettings) {
    this.#settings = settings;
    this.#handlers = specs.map((spec) => new EventHandler(spec, settings));
  }

  /** Events that were dropped because too many waited. */
  get dropped(): number {
    return this.#handlers.reduce((sum, { dropped }) => sum + dropped, this.#droppedBefore);
  }

  /** Scripts that run at the moment. */
  get running(): number {
    return this.#all().reduce((sum, { running }) => sum + running, 0);
  }

  /** Runs the scripts that want `event`. Returns at once. */
  handle(event: SerfEvent): void {
    for (const handler of this.#handlers) handler.handle(event);
  }

  /**
   * Takes over a changed configuration from the next event on. Events that wait already still go to the script that was
   * configured when they came.
   */
  replace(specs: readonly HandlerSpec[]): void {
    const before = [...this.#handlers];
    this.#handlers = specs.map((spec) => {
      const same = before.findIndex((handler) => isSame(handler.spec, spec));
      return before.splice(same, same < 0 ? 0 : 1)[0] ?? new EventHandler(spec, this.#settings);
    });
    for (const { dropped } of before) this.#droppedBefore += dropped;
    this.#retired = [...this.#retired, ...before].filter(({ busy }) => busy);
  }

  /** Starts no more scripts, gives running ones a second, and kills them then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await closeTogether(this.#all().map((handler) => () => handler.close(END_GRACE_MS)));
  }

  #all(): EventHandler[] {
    return [...this.#handlers, ...this.#retired];
  }
}

function isSame(one: HandlerSpec, other: HandlerSpec): boolean {
  return one.script === other.script && one.selectors.length === other.selectors.length &&
    one.selectors.every(({ type, name }, i) => {
      const selector = other.selectors[i];
      return selector?.type === type && selector.name === name;
    });
}
