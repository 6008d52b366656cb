/**
 * What a program gives to start an agent.
 *
 * @module
 */

import type { SomeOf } from "../../config/options/option.ts";
import type { AgentPlan } from "../../config/plan.ts";
import type { AgentConfig } from "../../config/settings.ts";
import type { AgentLog } from "../../logging/log.ts";
import type { OnHandlerError } from "../events/handler_error.ts";
import type { Handlers } from "../events/handlers.ts";

/**
 * What differs from the defaults, and what only a program can give.
 *
 * @example
 * ```ts
 * import { Agent, type AgentSettings } from "@skein/agent";
 *
 * const settings: AgentSettings = {
 *   nodeName: "alpha",
 *   bind: "127.0.0.1:0",
 *   tags: { role: "web" },
 *   handlers: { "query:load": () => "0.5" },
 * };
 * await using agent = await Agent.start(settings);
 * ```
 */
export interface AgentSettings extends SomeOf<AgentConfig> {
  /** Functions that are called on events, by event: `member-join`, `user:deploy`, `query:uptime`, `*`. Default: none. */
  readonly handlers?: Handlers;
  /** Hears of handlers and listeners that fail. Default: they are told of on standard error, at most a line a second each. */
  readonly onError?: OnHandlerError;
  /** Where the agent's log lines go. Default: a new log, which nothing prints. */
  readonly log?: AgentLog;
  /**
   * Settings that were completed, checked and looked up before; what else is given wins over theirs, unchecked. Default: the
   * settings are looked at.
   */
  readonly plan?: AgentPlan;
}
