/**
 * What a program gives to an agent besides its settings.
 *
 * @module
 */

import type { OptionKinds } from "../../protocol/arguments.ts";

/**
 * Which members to list: patterns (RE2) that must match from the first to the last character; `a|b` means "starts with a
 * or ends with b", `(a|b)` one of them.
 *
 * @example
 * ```ts
 * import { Agent, type MemberFilter } from "@skein/agent";
 *
 * const filter: MemberFilter = { tags: { role: "web" }, status: "alive" };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * console.log(agent.members(filter).length); // 0
 * ```
 */
export interface MemberFilter {
  /** Patterns by tag; a tag that a member lacks counts as empty. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Pattern of the status. Default: any. */
  readonly status?: string;
  /** Pattern of the name. Default: any. */
  readonly name?: string;
}

/**
 * Options of {@linkcode Agent.event}.
 *
 * @example
 * ```ts
 * import { Agent, type EventOptions } from "@skein/agent";
 *
 * const options: EventOptions = { coalesce: false };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * agent.event("deploy", "v1.2", options);
 * ```
 */
export interface EventOptions {
  /** Whether agents may hand out only the last of several events of this name. Default true. */
  readonly coalesce?: boolean;
}

/**
 * Changes of tags. What is in both is set.
 *
 * @example
 * ```ts
 * import { Agent, type TagChanges } from "@skein/agent";
 *
 * const changes: TagChanges = { set: { role: "web" }, delete: ["dc"] };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * await agent.updateTags(changes);
 * ```
 */
export interface TagChanges {
  /** Tags to set. */
  readonly set?: Readonly<Record<string, string>>;
  /** Tags to delete; unknown ones are ignored. */
  readonly delete?: readonly string[];
}

/** The kinds of all these, and of the other options that calls take. */
export const REQUESTS = {
  members: { tags: "map", status: "text", name: "text" },
  event: { coalesce: "switch" },
  updateTags: { set: "map", delete: "list" },
  join: { replay: "switch", signal: "signal" },
  forceLeave: { prune: "switch" },
  query: {
    nodes: "list",
    tags: "map",
    requestAck: "switch",
    relayFactor: "number",
    timeoutMs: "number",
  },
} as const satisfies Record<string, OptionKinds>;
