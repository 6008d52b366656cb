/**
 * The messages of memberlist and their MessagePack shapes (docs/spec/memberlist.md 1.1, 7). Fields carry the names
 * they have on the wire; they are written sorted by name and read in any order.
 *
 * @module
 */

import {
  bool,
  bytes,
  type Codec,
  i32,
  optional,
  str,
  struct,
  u16,
  u32,
  u8,
  written,
} from "../../../protocol/msgpack/mod.ts";

/** The first byte of every message (docs/spec/memberlist.md 1.1). */
export const MessageType = {
  /** Asks for an ack. */
  ping: 0,
  /** Asks a third node to ping. */
  indirectPing: 1,
  /** Answers a ping. */
  ack: 2,
  /** Somebody suspects a node. */
  suspect: 3,
  /** A node says that, and how, it is. */
  alive: 4,
  /** A node failed or left. */
  dead: 5,
  /** Exchange of full state; streams only. */
  pushPull: 6,
  /** Several messages in one packet. */
  compound: 7,
  /** Application data. */
  user: 8,
  /** One compressed message. */
  compress: 9,
  /** One encrypted frame; streams only. */
  encrypt: 10,
  /** A third node reports that its ping got no answer. */
  nack: 11,
  /** A checksum and a message; outermost in packets only. */
  hasCrc: 12,
  /** Why a stream's request failed; streams only. */
  err: 13,
  /** A label and the rest; outermost only. */
  hasLabel: 244,
} as const;

/** One of the numbers of {@linkcode MessageType}. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/**
 * The six version bytes of a node. Read as they come; written as nil unless there are none or at least
 * six, because 1 to 5 of them kill a node of memberlist 0.2 (docs/spec/memberlist.md 12).
 */
const versions: Codec<Uint8Array | null> = {
  write: (writer, value) => {
    bytes.write(writer, value !== null && value.length > 0 && value.length < 6 ? null : value);
  },
  read: (reader) => bytes.read(reader),
  zero: () => null,
};

/** Asks `Node` for an ack. */
export interface Ping {
  /** Chosen by the sender; the ack repeats it. */
  SeqNo: number;
  /** Name of the node that is meant. Another node stays silent; empty means whoever gets it. */
  Node: string;
  /** The sender's advertised IP, 4 or 16 bytes; omitted on the wire when empty. */
  SourceAddr: Uint8Array | null;
  /** The sender's advertised port; omitted when 0. */
  SourcePort: number;
  /** The sender's name; omitted when empty. */
  SourceNode: string;
}

/** Wire shape of a {@linkcode Ping}. */
export const Ping: Codec<Ping> = struct({
  SeqNo: u32,
  Node: str,
  SourceAddr: optional(bytes),
  SourcePort: optional(u16),
  SourceNode: optional(str),
});

/** Asks the receiver to ping `Target` and to pass the ack on. */
export interface IndirectPing {
  /** The requester's number, to be repeated in the ack or nack to it. */
  SeqNo: number;
  /** IP of the node to ping, 4 or 16 bytes. */
  Target: Uint8Array | null;
  /** Port of the node to ping; 0 means the receiver's own port. */
  Port: number;
  /** Name of the node to ping. */
  Node: string;
  /** Whether the requester wants a nack when no ack comes. */
  Nack: boolean;
  /** The requester's advertised IP; omitted when empty. */
  SourceAddr: Uint8Array | null;
  /** The requester's advertised port; omitted when 0. */
  SourcePort: number;
  /** The requester's name; omitted when empty. */
  SourceNode: string;
}

/** Wire shape of an {@linkcode IndirectPing}. */
export const IndirectPing: Codec<IndirectPing> = struct({
  SeqNo: u32,
  Target: bytes,
  Port: u16,
  Node: str,
  Nack: bool,
  SourceAddr: optional(bytes),
  SourcePort: optional(u16),
  SourceNode: optional(str),
});

/** Answers a ping. */
export interface Ack {
  /** The number of the ping. */
  SeqNo: number;
  /** Application data, or `null`. */
  Payload: Uint8Array | null;
}

/** Wire shape of an {@linkcode Ack}. */
export const Ack: Codec<Ack> = struct({ SeqNo: u32, Payload: bytes });

/** Tells the requester of an indirect ping that no ack came. */
export interface Nack {
  /** The requester's number. */
  SeqNo: number;
}

/** Wire shape of a {@linkcode Nack}. */
export const Nack: Codec<Nack> = struct({ SeqNo: u32 });

/** `From` suspects `Node`. */
export interface Suspect {
  /** The incarnation of the node that is suspected. */
  Incarnation: number;
  /** Who is suspected. */
  Node: string;
  /** Who suspects. */
  From: string;
}

/** Wire shape of a {@linkcode Suspect}. */
export const Suspect: Codec<Suspect> = struct({ Incarnation: u32, Node: str, From: str });

/** What a node says about itself. */
export interface Alive {
  /** Orders the statements about the node; at least 1. */
  Incarnation: number;
  /** Its name. */
  Node: string;
  /** Its advertised IP, 4 or 16 bytes, never normalised. */
  Addr: Uint8Array | null;
  /** Its advertised port. */
  Port: number;
  /** Application data, at most 512 bytes by rule. */
  Meta: Uint8Array | null;
  /** Six version bytes; 1 to 5 of them are read as they are and written as nil. */
  Vsn: Uint8Array | null;
}

/** Wire shape of an {@linkcode Alive}. */
export const Alive: Codec<Alive> = struct({
  Incarnation: u32,
  Node: str,
  Addr: bytes,
  Port: u16,
  Meta: bytes,
  Vsn: versions,
});

/** `From` declares `Node` dead; when both are the same, the node left. */
export interface Dead {
  /** The incarnation of the node that is dead. */
  Incarnation: number;
  /** Who is dead. */
  Node: string;
  /** Who says so. */
  From: string;
}

/** Wire shape of a {@linkcode Dead}. */
export const Dead: Codec<Dead> = struct({ Incarnation: u32, Node: str, From: str });

/** Starts a push/pull; the nodes and the user state follow it. */
export interface PushPullHeader {
  /** How many {@linkcode PushNodeState} follow. */
  Nodes: number;
  /** How many raw bytes follow the nodes. */
  UserStateLen: number;
  /** Whether the exchange is part of a join. */
  Join: boolean;
}

/** Wire shape of a {@linkcode PushPullHeader}. */
export const PushPullHeader: Codec<PushPullHeader> = struct({
  Nodes: i32,
  UserStateLen: i32,
  Join: bool,
});

/** One node of a push/pull. */
export interface PushNodeState {
  /** Its name. */
  Name: string;
  /** Its advertised IP, 4 or 16 bytes, never normalised. */
  Addr: Uint8Array | null;
  /** Its advertised port. */
  Port: number;
  /** Application data. */
  Meta: Uint8Array | null;
  /** Its incarnation. */
  Incarnation: number;
  /** 0 alive, 1 suspect, 2 dead, 3 left; other numbers are read too. */
  State: number;
  /** Six version bytes; 1 to 5 of them are read as they are and written as nil. */
  Vsn: Uint8Array | null;
}

/** Wire shape of a {@linkcode PushNodeState}. */
export const PushNodeState: Codec<PushNodeState> = struct({
  Name: str,
  Addr: bytes,
  Port: u16,
  Meta: bytes,
  Incarnation: u32,
  State: i32,
  Vsn: versions,
});

/** Starts a user message on a stream; its bytes follow. */
export interface UserHeader {
  /** How many raw bytes follow. */
  UserMsgLen: number;
}

/** Wire shape of a {@linkcode UserHeader}. */
export const UserHeader: Codec<UserHeader> = struct({ UserMsgLen: i32 });

/** One compressed message (docs/spec/memberlist.md 3.5). */
export interface Compress {
  /** 0: LZW. There is no other. */
  Algo: number;
  /** The compressed message, its type byte included. */
  Buf: Uint8Array | null;
}

/** Wire shape of a {@linkcode Compress}. */
export const Compress: Codec<Compress> = struct({ Algo: u8, Buf: bytes });

/** Why a request on a stream failed. */
export interface ErrorReply {
  /** The text. */
  Error: string;
}

/** Wire shape of an {@linkcode ErrorReply}. */
export const ErrorReply: Codec<ErrorReply> = struct({ Error: str });

/** A whole message: the type byte and the body. */
export function encodeMessage<T>(type: MessageType, codec: Codec<T>, value: T): Uint8Array {
  return written("gossip", (writer) => {
    writer.byte(type);
    codec.write(writer, value);
  });
}
