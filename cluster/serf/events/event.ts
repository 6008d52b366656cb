/**
 * What Serf tells the application (serf.md 10).
 *
 * @module
 */

import type { Member } from "../members/member.ts";

/** Something happened to members. Before coalescing an event carries one member. */
export interface MemberEvent {
  /** What happened. */
  readonly type: "member-join" | "member-leave" | "member-failed" | "member-update" | "member-reap";
  /** The members it happened to, at least one. */
  readonly members: readonly Member[];
}

/** Someone fired a user event. */
export interface UserEventNotice {
  /** Always `user`. */
  readonly type: "user";
  /** Lamport time of the event. */
  readonly ltime: bigint;
  /** Name of the event. */
  readonly name: string;
  /** What came with it; `null` when nothing did. */
  readonly payload: Uint8Array | null;
  /** Whether a newer event of the same name may replace this one. */
  readonly coalesce: boolean;
}

/** Someone asks something. */
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
  readonly payload: Uint8Array | null;
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

/** Everything that Serf tells the application. */
export type SerfEvent = MemberEvent | UserEventNotice | QueryEvent;
