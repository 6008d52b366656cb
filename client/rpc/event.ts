/**
 * Events of a stream, as a program sees them.
 *
 * @module
 */

import { MemberEventRecord, QueryEventRecord, UserEventRecord } from "../../protocol/ipc/mod.ts";
import { type Codec, decode, str, struct } from "../../protocol/msgpack/mod.ts";
import { ownPayload, type PayloadBytes } from "../../protocol/payload.ts";
import type { CallOptions } from "../net/deadline.ts";
import { fromWire, type Member } from "./member.ts";
import type { Payload } from "./payload.ts";

/**
 * A user event.
 *
 * @example
 * ```ts
 * import type { UserEvent } from "@skein/agent/client";
 *
 * const show = ({ name, ltime, payload }: UserEvent): void => console.log(name, ltime, payload);
 * ```
 */
export interface UserEvent {
  /** Tells it from other events. */
  type: "user";
  /** Lamport time at which it was fired. */
  ltime: bigint;
  /** Its name. */
  name: string;
  /** What it carries; `null` when nothing was given. */
  payload: PayloadBytes | null;
  /** Whether it may be folded into later ones of its name. */
  coalesce: boolean;
}

/**
 * A query that this agent got.
 *
 * @example
 * ```ts
 * import type { QueryEvent } from "@skein/agent/client";
 *
 * const answer = async (query: QueryEvent): Promise<void> => {
 *   if (query.name === "load") await query.respond("0.5");
 * };
 * ```
 */
export interface QueryEvent {
  /** Tells it from other events. */
  type: "query";
  /** What `respond` names the query by, on this connection only. */
  id: number | bigint;
  /** Lamport time at which it was sent. */
  ltime: bigint;
  /** Its name. */
  name: string;
  /** What it carries; `null` when nothing was given. */
  payload: PayloadBytes | null;
  /**
   * Answers the query, once.
   *
   * @throws {RpcError} when the answer is too large, too late or the second one
   */
  respond(payload: Payload, options?: CallOptions): Promise<void>;
}

/**
 * Something happened to members.
 *
 * @example
 * ```ts
 * import type { MemberEvent } from "@skein/agent/client";
 *
 * const show = ({ type, members }: MemberEvent): void => {
 *   for (const { name } of members) console.log(type, name);
 * };
 * ```
 */
export interface MemberEvent {
  /** What happened. */
  type: "member-join" | "member-leave" | "member-failed" | "member-update" | "member-reap";
  /** The members it happened to; an agent folds what happens within seconds into one event. */
  members: Member[];
}

/**
 * What an event stream delivers.
 *
 * @example
 * ```ts
 * import type { StreamEvent } from "@skein/agent/client";
 *
 * function show(event: StreamEvent): void {
 *   if (event.type === "user" || event.type === "query") console.log(event.type, event.name);
 *   else console.log(event.type, event.members.length);
 * }
 * ```
 */
export type StreamEvent = UserEvent | QueryEvent | MemberEvent;

const Kind: Codec<{ Event: string }> = struct({ Event: str });

/** How a query event answers: by number, on the connection that it came on. */
export type Respond = (
  id: number | bigint,
  payload: Payload,
  options?: CallOptions,
) => Promise<void>;

/**
 * The event of a record, or `undefined` when it is of a kind that this client does not know.
 *
 * @throws {DecodeError} when the bytes are no record
 */
export function decodeEvent(record: Uint8Array, respond: Respond): StreamEvent | undefined {
  const kind = decode(Kind, record).Event;
  switch (kind) {
    case "user": {
      const { LTime, Name, Payload, Coalesce } = decode(UserEventRecord, record);
      return {
        type: kind,
        ltime: LTime,
        name: Name,
        payload: ownPayload(Payload),
        coalesce: Coalesce,
      };
    }
    case "query": {
      const { ID, LTime, Name, Payload } = decode(QueryEventRecord, record);
      return {
        type: kind,
        id: ID,
        ltime: LTime,
        name: Name,
        payload: ownPayload(Payload),
        respond: (payload, options) => respond(ID, payload, options),
      };
    }
    case "member-join":
    case "member-leave":
    case "member-failed":
    case "member-update":
    case "member-reap": {
      const { Members } = decode(MemberEventRecord, record);
      return { type: kind, members: (Members ?? []).map(fromWire) };
    }
  }
  return undefined;
}
