/**
 * The bodies of records: what a stream, a monitor or a query sends after its response (docs/spec/agent.md 2 and 4).
 *
 * @module
 */

import { bool, bytes, list, seq, str, struct, type StructCodec, u64 } from "../msgpack/mod.ts";
import { Member } from "./responses.ts";

/** Record of a monitor. */
export interface LogRecord {
  /** One log line without its newline. */
  Log: string;
}
/** Record of a monitor. */
export const LogRecord: StructCodec<LogRecord> = struct({ Log: str });

/** Record of a stream: a user event. */
export interface UserEventRecord {
  /** Always `user`. */
  Event: string;
  /** Lamport time of the event. */
  LTime: bigint;
  /** Name of the event. */
  Name: string;
  /** What it carries. */
  Payload: Uint8Array | null;
  /** Whether it may be folded into later ones. */
  Coalesce: boolean;
}
/** Record of a stream: a user event. */
export const UserEventRecord: StructCodec<UserEventRecord> = struct({
  Event: str,
  LTime: u64,
  Name: str,
  Payload: bytes,
  Coalesce: bool,
});

/** Record of a stream: a query that may be answered. */
export interface QueryEventRecord {
  /** Always `query`. */
  Event: string;
  /** What `respond` names the query by, on this connection only. */
  ID: number | bigint;
  /** Lamport time of the query. */
  LTime: bigint;
  /** Name of the query. */
  Name: string;
  /** What it carries. */
  Payload: Uint8Array | null;
}
/** Record of a stream: a query that may be answered. */
export const QueryEventRecord: StructCodec<QueryEventRecord> = struct({
  Event: str,
  ID: seq,
  LTime: u64,
  Name: str,
  Payload: bytes,
});

/** Record of a stream: something happened to members. */
export interface MemberEventRecord {
  /** `member-join`, `member-leave`, `member-failed`, `member-update` or `member-reap`. */
  Event: string;
  /** The members it happened to. */
  Members: Member[] | null;
}
/** Record of a stream: something happened to members. */
export const MemberEventRecord: StructCodec<MemberEventRecord> = struct({
  Event: str,
  Members: list(Member),
});

/** Record of a query. */
export interface QueryRecord {
  /** `ack`, `response`, or `done` for the last one. */
  Type: string;
  /** The node that acknowledged or responded; empty in `done`. */
  From: string;
  /** The response. */
  Payload: Uint8Array | null;
}
/** Record of a query. */
export const QueryRecord: StructCodec<QueryRecord> = struct({
  Type: str,
  From: str,
  Payload: bytes,
});
