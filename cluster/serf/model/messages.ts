/**
 * Serf's messages: one type byte, then one MessagePack value in the gossip dialect (docs/spec/serf.md 1 and 2).
 *
 * Each codec lists its fields in declaration order, which is what the array form of a struct uses; on the wire
 * the keys are sorted by name.
 *
 * @module
 */

import {
  bool,
  bytes,
  type Codec,
  decode,
  i32,
  i64,
  type Infer,
  list,
  Reader,
  record,
  secret,
  str,
  struct,
  type StructCodec,
  u16,
  u32,
  u64,
  u8,
  written,
} from "../../../protocol/msgpack/mod.ts";

/** The first byte of a message (docs/spec/serf.md 2). */
export const MessageType = {
  leave: 0,
  join: 1,
  pushPull: 2,
  userEvent: 3,
  query: 4,
  queryResponse: 5,
  conflictResponse: 6,
  keyRequest: 7,
  keyResponse: 8,
  relay: 9,
} as const;

/** Bits of a query's `Flags`. */
export const QueryFlag = { ack: 1, noBroadcast: 2 } as const;

/** Bits of a query response's `Flags`. */
export const ResponseFlag = { ack: 1 } as const;

/** Type 0: a node leaves, or is made to leave. */
export const LeaveIntent = struct({ LTime: u64, Node: str, Prune: bool });
/** See {@linkcode LeaveIntent}. */
export type LeaveIntent = Infer<typeof LeaveIntent>;

/** Type 1: a node joins, or says that it has not left. */
export const JoinIntent = struct({ LTime: u64, Node: str });
/** See {@linkcode JoinIntent}. */
export type JoinIntent = Infer<typeof JoinIntent>;

/** One event of an {@linkcode EventGroup}. */
export const GroupedEvent = struct({ Name: str, Payload: bytes });
/** See {@linkcode GroupedEvent}. */
export type GroupedEvent = Infer<typeof GroupedEvent>;

/** The events of one Lamport time in a push/pull. */
export const EventGroup = struct({ LTime: u64, Events: list(GroupedEvent) });
/** See {@linkcode EventGroup}. */
export type EventGroup = Infer<typeof EventGroup>;

/** Type 2: the state that two nodes exchange over a stream. `Events` has one entry per slot, most of them null. */
export const PushPull = struct({
  LTime: u64,
  StatusLTimes: record(u64),
  LeftMembers: list(str),
  EventLTime: u64,
  Events: list(nullable(EventGroup)),
  QueryLTime: u64,
});
/** See {@linkcode PushPull}. */
export type PushPull = Infer<typeof PushPull>;

/** Type 3: a user event. `CC` says whether it may be coalesced. */
export const UserEvent = struct({ LTime: u64, Name: str, Payload: bytes, CC: bool });
/** See {@linkcode UserEvent}. */
export type UserEvent = Infer<typeof UserEvent>;

/** Type 4: a query. `Timeout` is in nanoseconds; `Addr` and `Port` are where the answers go. */
export const Query = struct({
  LTime: u64,
  ID: u32,
  Addr: bytes,
  Port: u16,
  SourceNode: str,
  Filters: list(bytes),
  Flags: u32,
  RelayFactor: u8,
  Timeout: i64,
  Name: str,
  Payload: bytes,
});
/** See {@linkcode Query}. */
export type Query = Infer<typeof Query>;

/** Type 5: an answer to a query, or the ack of one. */
export interface QueryResponse {
  /** Lamport time of the query. */
  LTime: bigint;
  /** Number of the query. */
  ID: number;
  /** Name of the node that answers, as it says. */
  From: string;
  /** What kind of answer: {@linkcode ResponseFlag}. */
  Flags: number;
  /** The answer. */
  Payload: Uint8Array | null;
}
/** See the type. */
export const QueryResponse: StructCodec<QueryResponse> = struct({
  LTime: u64,
  ID: u32,
  From: str,
  Flags: u32,
  Payload: bytes,
});

/** Type 6: a member as a voter in a name conflict knows it; null when it does not know the name. */
export const ConflictResponse = nullable(struct({
  Name: str,
  Addr: bytes,
  Port: u16,
  Tags: record(str),
  Status: i32,
  ProtocolMin: u8,
  ProtocolMax: u8,
  ProtocolCur: u8,
  DelegateMin: u8,
  DelegateMax: u8,
  DelegateCur: u8,
}));
/** See {@linkcode ConflictResponse}. */
export type ConflictResponse = Infer<typeof ConflictResponse>;

/** Type 7: the payload of a key query. */
export const KeyRequest = struct({ Key: bytes });
/** See {@linkcode KeyRequest}. */
export type KeyRequest = Infer<typeof KeyRequest>;

/** Type 8: the payload of an answer to a key query. Keys are base64. */
export const KeyResponse = struct({
  Result: bool,
  Message: str,
  Keys: list(secret),
  PrimaryKey: secret,
});
/** See {@linkcode KeyResponse}. */
export type KeyResponse = Infer<typeof KeyResponse>;

/** The first part of type 9: where the message behind it shall go. */
export const RelayHeader = struct({
  DestAddr: struct({ IP: bytes, Port: i32, Zone: str }),
  DestName: str,
});
/** See {@linkcode RelayHeader}. */
export type RelayHeader = Infer<typeof RelayHeader>;

/** A whole message: the type byte and the encoded body. */
export function encodeMessage<T>(type: number, codec: Codec<T>, body: T): Uint8Array {
  return written("gossip", (writer) => {
    writer.byte(type);
    codec.write(writer, body);
  });
}

/**
 * The body behind the type byte. Byte strings in it are views of `message`.
 *
 * @throws {DecodeError} when it is not what `codec` reads
 */
export function decodeMessage<T>(codec: Codec<T>, message: Uint8Array): T {
  return decode(codec, message, 1);
}

/** A relay message: its type byte and header, then `inner` as it is. */
export function encodeRelay(header: RelayHeader, inner: Uint8Array): Uint8Array {
  return written("gossip", (writer) => {
    writer.byte(MessageType.relay);
    RelayHeader.write(writer, header);
    writer.raw(inner);
  });
}

/**
 * Splits a relay message into its header and the message to pass on, a view of `message`.
 *
 * @throws {DecodeError} when the header is malformed
 */
export function decodeRelay(message: Uint8Array): { header: RelayHeader; inner: Uint8Array } {
  const reader = new Reader(message, 1);
  const header = RelayHeader.read(reader);
  return { header, inner: message.subarray(reader.offset) };
}

/** A struct that may be nil where Go has a pointer. */
function nullable<T>(item: Codec<T>): Codec<T | null> {
  return {
    write: (writer, value) => value === null ? writer.nil() : item.write(writer, value),
    read: (reader) => reader.nil() ? null : item.read(reader),
    zero: () => null,
  };
}
