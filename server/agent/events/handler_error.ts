/**
 * Faults in the functions of a program that an agent calls on events, and who gets to know of them.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../../cluster/log_limiter.ts";
import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import { background } from "../../logging/background.ts";
import { type AgentLog, escapeControls } from "../../logging/log.ts";
import { titleOf } from "../log_text.ts";

/**
 * A handler has thrown or rejected, or its answer to a query could not be sent; `cause` tells.
 *
 * @example
 * ```ts
 * import { Agent, type HandlerError } from "@skein/agent";
 *
 * const onError = ({ handler, event, cause }: HandlerError): void => {
 *   console.error(handler, event.type, cause);
 *   if (event.type === "query") event.respond("Out of order");
 * };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", onError });
 * ```
 */
export class HandlerError extends Error {
  /** Always "HandlerError". */
  override readonly name = "HandlerError";
  /** The event that the handler is for, as among the settings, `query:load`; `subscribe` for a listener. */
  readonly handler: string;
  /** What it was called with. */
  readonly event: SerfEvent;

  /** `options.cause` is what went wrong. */
  constructor(handler: string, event: SerfEvent, options: ErrorOptions) {
    const whose = handler === LISTENER ? "A listener" : `The handler for '${handler}'`;
    super(`${whose} failed on ${titleOf(event)}`, options);
    this.handler = handler;
    this.event = event;
  }
}

/** The name of the functions that `subscribe` was given. */
const LISTENER = "subscribe";

/**
 * Hears of each handler that failed, in place of standard error. It may answer a query that is still open.
 *
 * @example
 * ```ts
 * import type { OnHandlerError } from "@skein/agent";
 *
 * const onError: OnHandlerError = ({ message, cause }) => console.error(message, cause);
 * ```
 */
export type OnHandlerError = (error: HandlerError) => void | Promise<void>;

/** Tells of the handlers of one agent that failed: in its log, and to the program or, by default, on standard error. */
export class HandlerFaults {
  readonly #log: AgentLog;
  readonly #onError: OnHandlerError;
  readonly #limiter = new LogLimiter(performance);

  /** @param onError Whom to tell. Default: standard error. */
  constructor(log: AgentLog, onError?: OnHandlerError) {
    this.#log = log;
    this.#onError = onError ?? ((error) => this.#print(error.handler, error.message, error.cause));
  }

  /** A listener has thrown. */
  listener(event: SerfEvent, cause: unknown): void {
    background(this.tell(new HandlerError(LISTENER, event, { cause })), this.#log);
  }

  /** Resolves when the program has dealt with it. Never rejects. */
  async tell(error: HandlerError): Promise<void> {
    this.#log.write("ERR", "agent", error.message, { fields: { cause: error.cause } });
    try {
      await this.#onError(error);
    } catch (cause) {
      const text = "The function for errors of handlers failed itself";
      this.#log.write("ERR", "agent", text, { fields: { cause } });
      this.#print("", text, cause);
    }
  }

  /** At most a line a second for each handler. */
  #print(handler: string, text: string, cause: unknown): void {
    const hidden = this.#limiter.admit(handler);
    if (hidden === undefined) return;
    const line = `${text}${hiddenNote(hidden)}`;
    console.error(`Agent '${this.#log.node}': ${escapeControls(line)}:`, cause);
  }
}
