/**
 * What Serf tells the application (docs/spec/serf.md 10.1).
 *
 * @module
 */

import type { PayloadBytes } from "../../../protocol/payload.ts";
import type { Member } from "./member.ts";

/**
 * Something happened to members. Before coalescing an event carries one member.
 *
 * @example
 * ```ts
 * import type { MemberEvent } from "@skein/agent";
 *
 * const show = ({ type, members }: MemberEvent): void => {
 *   for (const { name } of members) console.log(type, name);
 * };
 * ```
 */
export interface MemberEvent {
  /** What happened. */
  readonly type: "member-join" | "member-leave" | "member-failed" | "member-update" | "member-reap";
  /** The members it happened to, at least one. */
  readonly members: readonly Member[];
}

/**
 * Someone fired a user event.
 *
 * @example
 * ```ts
 * import type { UserEventNotice } from "@skein/agent";
 *
 * const show = ({ name, ltime, payload }: UserEventNotice): void => console.log(name, ltime, payload);
 * ```
 */
export interface UserEventNotice {
  /** Always `user`. */
  readonly type: "user";
  /** Lamport time of the event. */
  readonly ltime: bigint;
  /** Name of the event. */
  readonly name: string;
  /** What came with it; `null` when nothing did. */
  readonly payload: PayloadBytes | null;
  /** Whether a newer event of the same name may replace this one. */
  readonly coalesce: boolean;
}

/**
 * Someone asks something.
 *
 * @example
 * ```ts
 * import { Agent, type QueryEvent } from "@skein/agent";
 *
 * const answer = (query: QueryEvent): void => query.respond(`Hello ${query.sourceNode}`);
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * using queries = agent.queries("hello");
 * agent.query("hello");
 * for await (const query of queries) {
 *   answer(query);
 *   break;
 * }
 * ```
 */
export interface QueryEvent {
  /** Always `query`. */
  readonly type: "query";
  /** Lamport time of the query. */
  readonly ltime: bigint;
  /** Number that tells queries of one Lamport time apart. */
  readonly id: number;
  /** Name of the query. */
  readonly name: string;
  /** What came with it; `null` when nothing did. */
  readonly payload: PayloadBytes | null;
  /** Name of the node that asks. */
  readonly sourceNode: string;
  /** Clock milliseconds until which an answer makes sense. */
  readonly deadline: number;
  /**
   * Answers the query, once; a text travels as UTF-8.
   *
   * @throws {RespondError} when the answer is too large, too late or the second one
   */
  respond(payload: Uint8Array | string | null): void;
}

/**
 * Everything that Serf tells the application.
 *
 * @example
 * ```ts
 * import type { SerfEvent } from "@skein/agent";
 *
 * function show(event: SerfEvent): void {
 *   if (event.type === "user" || event.type === "query") console.log(event.type, event.name);
 *   else console.log(event.type, event.members.length);
 * }
 * ```
 */
export type SerfEvent = MemberEvent | UserEventNotice | QueryEvent;
