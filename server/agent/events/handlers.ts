/**
 * Functions of a program that an agent calls on events.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../../cluster/log_limiter.ts";
import {
  type MemberEvent,
  type QueryEvent,
  RespondError,
  type SerfEvent,
  type UserEventNotice,
} from "../../../cluster/serf/mod.ts";
import { parseEventFilter } from "../../../cluster/serf/model/event_filter.ts";
import { mismatch } from "../../../protocol/arguments.ts";
import { ConfigError } from "../../config/load.ts";
import { background } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { titleOf } from "../log_text.ts";
import type { Payload } from "../payload.ts";
import { HandlerError, type HandlerFaults } from "./handler_error.ts";

/**
 * Handles an event. What it throws, or a promise of it rejects with, goes to `onError`.
 *
 * @example
 * ```ts
 * import type { EventHandler, UserEventNotice } from "@skein/agent";
 *
 * const onDeploy: EventHandler<UserEventNotice> = ({ name, payload }) => console.log(name, payload);
 * ```
 */
export type EventHandler<T> = (event: T) => void | Promise<void>;

/**
 * What a query handler returns: the answer, or `undefined` for none (yet: it may still call `respond`).
 *
 * @example
 * ```ts
 * import type { HandlerAnswer } from "@skein/agent";
 *
 * const answers: HandlerAnswer[] = ["text", Uint8Array.of(1, 2), null, undefined];
 * console.log(answers.length);
 * ```
 */
export type HandlerAnswer = Payload | undefined | void;

/**
 * Handles a query; what it returns is the answer. What it throws goes to `onError`, and the asker gets a text that begins
 * with "Error: ".
 *
 * @example
 * ```ts
 * import type { QueryHandler } from "@skein/agent";
 *
 * const load: QueryHandler = ({ payload }) => payload === null ? "0.5" : undefined;
 * ```
 */
export type QueryHandler = (query: QueryEvent) => HandlerAnswer | Promise<HandlerAnswer>;

/**
 * Functions by the events that they want. Each is called with every such event, in order, from the first event of the agent
 * on; when several want a query, the first answer counts.
 *
 * @example
 * ```ts
 * import { Agent, type Handlers } from "@skein/agent";
 *
 * const handlers: Handlers = {
 *   "member-failed": ({ members }) => console.log("failed:", members.map(({ name }) => name)),
 *   "user:deploy": ({ payload }) => console.log("deploy", payload),
 *   "query:load": () => "0.5",
 * };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", handlers });
 * ```
 */
export interface Handlers {
  /** Every event. */
  readonly "*"?: EventHandler<SerfEvent>;
  /** Members joined. */
  readonly "member-join"?: EventHandler<MemberEvent>;
  /** Members left on purpose. */
  readonly "member-leave"?: EventHandler<MemberEvent>;
  /** Members failed. */
  readonly "member-failed"?: EventHandler<MemberEvent>;
  /** Members have changed their tags or address. */
  readonly "member-update"?: EventHandler<MemberEvent>;
  /** Members were forgotten. */
  readonly "member-reap"?: EventHandler<MemberEvent>;
  /** Every user event. */
  readonly user?: EventHandler<UserEventNotice>;
  /** Every query. */
  readonly query?: QueryHandler;
  /** User events of one name. */
  readonly [user: `user:${string}`]: EventHandler<UserEventNotice> | undefined;
  /** Queries of one name. */
  readonly [query: `query:${string}`]: QueryHandler | undefined;
}

/** Calls of one handler that may be under way at a time; above, events pass it by, with a line in the log. */
const MAX_CALLS = 1_024;

/** Any of the functions above, as they are called. */
type AnyHandler = (event: SerfEvent) => HandlerAnswer | Promise<HandlerAnswer>;

/** Why a query is not answered, as the asker is told; `undefined` when it is, or may be later. */
type NoAnswer = string | undefined;

/**
 * What calls the handlers with an event; `undefined` when there are none.
 *
 * A query whose every handler fails gets an answer that says so, since the protocol has nothing else to tell it with: a
 * text that begins with "Error: ".
 *
 * @throws {ConfigError} when a name is no event, or a handler no function
 */
export function callerOf(
  handlers: Handlers,
  log: AgentLog,
  faults: HandlerFaults,
): ((event: SerfEvent) => void) | undefined {
  const calls = Object.entries(handlers)
    .filter(([, handler]) => handler !== undefined)
    .map(([name, handler]) => new HandlerCalls(name, handler, log, faults));
  if (calls.length === 0) return undefined;
  return (event) => {
    const answering: Promise<NoAnswer>[] = [];
    for (const call of calls) {
      if (!call.wants(event)) continue;
      const run = call.begin(event);
      if (event.type === "query" && call.canAnswer) answering.push(run);
      else background(run, log);
    }
    if (event.type === "query") background(answerFailure(event, answering), log);
  };
}

/** Answers a query that nobody has answered, and nobody will. */
async function answerFailure(query: QueryEvent, runs: Promise<NoAnswer>[]): Promise<void> {
  const reasons = await Promise.all(runs);
  const [reason] = reasons;
  if (reason === undefined || reasons.includes(undefined)) return;
  try {
    query.respond(`Error: ${reason}`);
  } catch (error) {
    // It is answered by other means, it is too late, or even this is too large.
    if (!(error instanceof RespondError)) throw error;
  }
}

/** One handler and its calls that are under way. */
class HandlerCalls {
  readonly wants: (event: SerfEvent) => boolean;
  /** Whether what it returns for a query is an answer; what the handler of all events returns is none. */
  readonly canAnswer: boolean;
  readonly #name: string;
  readonly #handler: AnyHandler;
  readonly #log: AgentLog;
  readonly #faults: HandlerFaults;
  readonly #limiter = new LogLimiter(performance);
  #running = 0;

  constructor(name: string, handler: unknown, log: AgentLog, faults: HandlerFaults) {
    const wants = name === "" ? undefined : parseEventFilter(name);
    if (wants === undefined) {
      throw new ConfigError(`Invalid handler '${name}': expected an event, such as 'member-join'`);
    }
    const problem = mismatch(handler, "function");
    if (problem !== undefined) throw new ConfigError(`Invalid handler '${name}': ${problem}`);
    this.wants = wants;
    this.canAnswer = name !== "*";
    this.#name = name;
    this.#handler = handler as AnyHandler;
    this.#log = log;
    this.#faults = faults;
  }

  /** Resolves when the call is over. Never rejects. */
  begin(event: SerfEvent): Promise<NoAnswer> {
    if (this.#running >= MAX_CALLS) {
      this.#refuse(event);
      return Promise.resolve("the handler is busy");
    }
    this.#running++;
    return this.#run(event);
  }

  async #run(event: SerfEvent): Promise<NoAnswer> {
    let answered = false;
    try {
      const answer = await this.#handler(event);
      if (event.type !== "query" || !this.canAnswer || answer === undefined) return undefined;
      answered = true;
      event.respond(answer);
      return undefined;
    } catch (cause) {
      const refusal = cause instanceof RespondError ? cause.reason : undefined;
      // Of several answers the first one counts.
      if (answered && refusal === "answered") return undefined;
      await this.#faults.tell(new HandlerError(this.#name, event, { cause }));
      if (refusal === "too-large") return "the answer is too large";
      return answered ? "the answer is neither text nor bytes" : "the handler failed";
    } finally {
      this.#running--;
    }
  }

  #refuse(event: SerfEvent): void {
    const hidden = this.#limiter.admit(this.#name);
    if (hidden === undefined) return;
    const what = `The handler for '${this.#name}' is busy with ${MAX_CALLS} calls`;
    this.#log.write("WARN", "agent", `${what}, it misses ${titleOf(event)}${hiddenNote(hidden)}`);
  }
}
