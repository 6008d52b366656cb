/**
 * The bodies of responses (docs/spec/agent.md 2 and 3). Fields of the codecs stand in Go's declaration order.
 *
 * @module
 */

import {
  bool,
  bytes,
  type Codec,
  f64,
  i32,
  list,
  record,
  secret,
  str,
  struct,
  type StructCodec,
  u16,
  u8,
} from "../msgpack/mod.ts";

/** One member of the cluster. */
export interface Member {
  /** Its node name. */
  Name: string;
  /** Its gossip address: 4 bytes for IPv4 (16 from some agents, mapped), 16 for IPv6. */
  Addr: Uint8Array | null;
  /** Its gossip port. */
  Port: number;
  /** Its tags; an empty map when there are none. */
  Tags: Record<string, string> | null;
  /** `none`, `alive`, `leaving`, `left` or `failed`. */
  Status: string;
  /** Lowest memberlist protocol it understands. */
  ProtocolMin: number;
  /** Highest memberlist protocol it understands. */
  ProtocolMax: number;
  /** The memberlist protocol it speaks. */
  ProtocolCur: number;
  /** Lowest Serf protocol it understands. */
  DelegateMin: number;
  /** Highest Serf protocol it understands. */
  DelegateMax: number;
  /** The Serf protocol it speaks. */
  DelegateCur: number;
}
/** One member of the cluster. */
export const Member: StructCodec<Member> = struct({
  Name: str,
  Addr: bytes,
  Port: u16,
  Tags: record(str),
  Status: str,
  ProtocolMin: u8,
  ProtocolMax: u8,
  ProtocolCur: u8,
  DelegateMin: u8,
  DelegateMax: u8,
  DelegateCur: u8,
});

/** Response to `members` and `members-filtered`. */
export interface MembersResponse {
  /** The members, in no order. */
  Members: Member[] | null;
}
/** Response to `members` and `members-filtered`. */
export const MembersResponse: StructCodec<MembersResponse> = struct({ Members: list(Member) });

/** Response to `join`, also when it failed. */
export interface JoinResponse {
  /** How many of the addresses were joined. */
  Num: number;
}
/** Response to `join`. */
export const JoinResponse: StructCodec<JoinResponse> = struct({ Num: i32 });

/** Response to the four key commands, also when they failed. */
export interface KeyResponse {
  /** What nodes had to say, by node name. */
  Messages: Record<string, string> | null;
  /** On how many nodes each key is, by base64; `null` except for `list-keys`. */
  Keys: Record<string, number> | null;
  /** Nodes asked. */
  NumNodes: number;
  /** Nodes that failed. */
  NumErr: number;
  /** Nodes that answered. */
  NumResp: number;
}
/** Response to the four key commands. */
export const KeyResponse: StructCodec<KeyResponse> = struct({
  Messages: record(str),
  Keys: record(i32, secret),
  NumNodes: i32,
  NumErr: i32,
  NumResp: i32,
});

/** A network coordinate; all numbers are seconds except the unitless `Error`. */
export interface Coordinate {
  /** Position in space, 8 dimensions; `null` in the zero coordinate. */
  Vec: number[] | null;
  /** Confidence, lower is better. */
  Error: number;
  /** Offset learnt from observed errors. */
  Adjustment: number;
  /** Distance from the node to the core of the network. */
  Height: number;
}
/** A network coordinate. */
export const Coordinate: StructCodec<Coordinate> = struct({
  Vec: list(f64),
  Error: f64,
  Adjustment: f64,
  Height: f64,
});

/** Response to `get-coordinate`. */
export interface CoordinateResponse {
  /** The node's coordinate, zero when unknown. */
  Coord: Coordinate;
  /** Whether the coordinate is known. */
  Ok: boolean;
}
/** Response to `get-coordinate`. */
export const CoordinateResponse: StructCodec<CoordinateResponse> = struct({
  Coord: Coordinate,
  Ok: bool,
});

/** Response to `stats`: figures by name, by section. */
export type StatsResponse = Record<string, Record<string, string> | null> | null;
/** Response to `stats`. */
export const StatsResponse: Codec<StatsResponse> = record(record(str));

/** Response to `reload`: names of options as configuration files have them. */
export interface ReloadResponse {
  /** The options whose new values are in effect. */
  Applied: string[] | null;
  /** The options whose new values need a restart. */
  Restart: string[] | null;
}
/** Response to `reload`. */
export const ReloadResponse: StructCodec<ReloadResponse> = struct({
  Applied: list(str),
  Restart: list(str),
});

/** Response to `raft`. */
export interface RaftResponse {
  /** What came of it, in JSON. */
  Result: string;
}
/** Response to `raft`. */
export const RaftResponse: StructCodec<RaftResponse> = struct({ Result: str });

/** Response to `session`. */
export interface SessionResponse {
  /** What came of it, in JSON. */
  Result: string;
}
/** Response to `session`. */
export const SessionResponse: StructCodec<SessionResponse> = struct({ Result: str });
