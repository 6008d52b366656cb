/**
 * Functions of a program that an agent calls on events.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../../cluster/log_limiter.ts";
import type {
  MemberEvent,
  QueryEvent,
  SerfEvent,
  UserEventNotice,
} from "../../../cluster/serf/mod.ts";
import { parseEventFilter } from "../../../cluster/serf/model/event_filter.ts";
import { ConfigError } from "../../config/load.ts";
import { background } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { titleOf } from "../log_text.ts";
import type { Payload } from "../payload.ts";

/**
 * Handles an event. What it throws, or a promise of it rejects with, is logged.
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
 * Handles a query; what it returns is the answer. What it throws is logged, and the query stays without an answer.
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

/**
 * What calls the handlers with an event.
 *
 * @throws {ConfigError} when a name is no event
 */
export function callerOf(handlers: Handlers, log: AgentLog): (event: SerfEvent) => void {
  const calls = Object.entries(handlers).flatMap(([name, handler]) => {
    if (handler === undefined) return [];
    const wants = name === "" ? undefined : parseEventFilter(name);
    if (wants === undefined) {
      throw new ConfigError(`Invalid handler '${name}': expected an event, such as 'member-join'`);
    }
    const call = new HandlerCalls(name, handler as AnyHandler, log);
    return [(event: SerfEvent) => void (wants(event) && call.begin(event))];
  });
  return (event) => {
    for (const call of calls) call(event);
  };
}

/** One handler and its calls that are under way. */
class HandlerCalls {
  readonly #name: string;
  readonly #handler: AnyHandler;
  readonly #log: AgentLog;
  readonly #limiter = new LogLimiter(performance);
  #running = 0;

  constructor(name: string, handler: AnyHandler, log: AgentLog) {
    this.#name = name;
    this.#handler = handler;
    this.#log = log;
  }

  begin(event: SerfEvent): void {
    if (this.#running >= MAX_CALLS) return this.#refuse(event);
    this.#running++;
    background(this.#run(event), this.#log);
  }

  async #run(event: SerfEvent): Promise<void> {
    try {
      const answer = await this.#handler(event);
      if (event.type === "query" && answer !== undefined) event.respond(answer);
    } catch (cause) {
      const text = `The handler for '${this.#name}' failed on ${titleOf(event)}`;
      this.#log.write("ERR", "agent", text, { fields: { cause } });
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
