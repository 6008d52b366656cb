/**
 * The bodies of requests (docs/spec/agent.md 2 and 3). Fields of the codecs stand in Go's declaration order.
 *
 * @module
 */

import {
  bool,
  bytes,
  i32,
  i64,
  list,
  record,
  secret,
  seq,
  str,
  struct,
  type StructCodec,
  u8,
} from "../msgpack/mod.ts";

/** Body of `handshake`. */
export interface HandshakeRequest {
  /** The protocol version the client speaks: 1. */
  Version: number;
}
/** Body of `handshake`. */
export const HandshakeRequest: StructCodec<HandshakeRequest> = struct({ Version: i32 });

/** Body of `auth`. */
export interface AuthRequest {
  /** The agent's `rpc_auth` token. */
  AuthKey: string;
}
/** Body of `auth`. */
export const AuthRequest: StructCodec<AuthRequest> = struct({ AuthKey: secret });

/** Body of `event`. */
export interface EventRequest {
  /** Name of the event. */
  Name: string;
  /** What it carries. */
  Payload: Uint8Array | null;
  /** Whether agents may fold events of the same name into one. */
  Coalesce: boolean;
}
/** Body of `event`. */
export const EventRequest: StructCodec<EventRequest> = struct({
  Name: str,
  Payload: bytes,
  Coalesce: bool,
});

/** Body of `force-leave`. */
export interface ForceLeaveRequest {
  /** Name of the member to remove. */
  Node: string;
  /** Whether to forget the member altogether. */
  Prune: boolean;
}
/** Body of `force-leave`. */
export const ForceLeaveRequest: StructCodec<ForceLeaveRequest> = struct({ Node: str, Prune: bool });

/** Body of `join`. */
export interface JoinRequest {
  /** Addresses to join, `[name/]host[:port]`. */
  Existing: string[] | null;
  /** Whether user events from before the join are delivered. */
  Replay: boolean;
}
/** Body of `join`. */
export const JoinRequest: StructCodec<JoinRequest> = struct({ Existing: list(str), Replay: bool });

/** Body of `members-filtered`: patterns that all must match from the first to the last character. */
export interface MembersFilteredRequest {
  /** Patterns by tag. */
  Tags: Record<string, string> | null;
  /** Pattern of the status; empty for any. */
  Status: string;
  /** Pattern of the name; empty for any. */
  Name: string;
}
/** Body of `members-filtered`. */
export const MembersFilteredRequest: StructCodec<MembersFilteredRequest> = struct({
  Tags: record(str),
  Status: str,
  Name: str,
});

/** Body of `monitor`. */
export interface MonitorRequest {
  /** TRACE, DEBUG, INFO, WARN or ERR in any case. */
  LogLevel: string;
}
/** Body of `monitor`. */
export const MonitorRequest: StructCodec<MonitorRequest> = struct({ LogLevel: str });

/** Body of `stream`. */
export interface StreamRequest {
  /** Event filters separated by commas; empty for all. */
  Type: string;
}
/** Body of `stream`. */
export const StreamRequest: StructCodec<StreamRequest> = struct({ Type: str });

/** Body of `stop`. */
export interface StopRequest {
  /** The Seq of the `stream` or `monitor` request to end. */
  Stop: number | bigint;
}
/** Body of `stop`. */
export const StopRequest: StructCodec<StopRequest> = struct({ Stop: seq });

/** Body of `tags`. */
export interface TagsRequest {
  /** Tags to set; these win over deleted ones. */
  Tags: Record<string, string> | null;
  /** Tags to delete. */
  DeleteTags: string[] | null;
}
/** Body of `tags`. */
export const TagsRequest: StructCodec<TagsRequest> = struct({
  Tags: record(str),
  DeleteTags: list(str),
});

/** Body of `query`. */
export interface QueryRequest {
  /** Names of the only nodes to ask; none for all. */
  FilterNodes: string[] | null;
  /** Patterns by tag that a node must match to be asked. */
  FilterTags: Record<string, string> | null;
  /** Whether nodes confirm that they got the query. */
  RequestAck: boolean;
  /** Through how many other members a response is relayed besides, 0 to 255. */
  RelayFactor: number;
  /** Nanoseconds until the query ends; 0 for the agent's default. */
  Timeout: bigint;
  /** Name of the query. */
  Name: string;
  /** What it carries. */
  Payload: Uint8Array | null;
}
/** Body of `query`. */
export const QueryRequest: StructCodec<QueryRequest> = struct({
  FilterNodes: list(str),
  FilterTags: record(str),
  RequestAck: bool,
  RelayFactor: u8,
  Timeout: i64,
  Name: str,
  Payload: bytes,
});

/** Body of `respond`. */
export interface RespondRequest {
  /** The `ID` of the query event. */
  ID: number | bigint;
  /** The response. */
  Payload: Uint8Array | null;
}
/** Body of `respond`. */
export const RespondRequest: StructCodec<RespondRequest> = struct({ ID: seq, Payload: bytes });

/** Body of `install-key`, `use-key` and `remove-key`. */
export interface KeyRequest {
  /** Base64 of 16, 24 or 32 bytes. */
  Key: string;
}
/** Body of `install-key`, `use-key` and `remove-key`. */
export const KeyRequest: StructCodec<KeyRequest> = struct({ Key: secret });

/** Body of `raft`. */
export interface RaftRequest {
  /** What to do: `status`, `add`, `remove`, `demote`, `transfer`, `snapshot` or `verify`. */
  Action: string;
  /** Which server it is about, by its agent's name or the beginning of its id; "" where that is left open. */
  Node: string;
  /** How long `verify` may take, in nanoseconds; 0 lets the agent choose. */
  Timeout: bigint;
}
/** Body of `raft`. */
export const RaftRequest: StructCodec<RaftRequest> = struct({
  Action: str,
  Node: str,
  Timeout: i64,
});

/** Body of `session`. */
export interface SessionRequest {
  /** What to do: `list`, `show` or `end`. */
  Action: string;
  /** The id of a session, or the beginning of that; for `list` the id that sessions follow, "" for the first ones. */
  Session: string;
}
/** Body of `session`. */
export const SessionRequest: StructCodec<SessionRequest> = struct({ Action: str, Session: str });

/** Body of `get-coordinate`. */
export interface CoordinateRequest {
  /** Name of the node. */
  Node: string;
}
/** Body of `get-coordinate`. */
export const CoordinateRequest: StructCodec<CoordinateRequest> = struct({ Node: str });
