/**
 * From messages to frames and back.
 *
 * A frame is the length of a message in 4 bytes, and the message: `zraft`, the version, its type, its fields. Clients and
 * servers number their types each for themselves.
 *
 * @module
 */

import { putU32 } from "../bytes.ts";
import { MessageError } from "./errors.ts";
import {
  blob,
  capabilities,
  type Field,
  id,
  leader,
  members,
  name,
  nonce,
  s16,
  s8,
  time,
  u16,
  u32,
  u8,
} from "./fields.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";
import { Reader } from "./reader.ts";

/** A kind of message on the wire: the number of its type, and its fields in their order. */
interface Layout<M> {
  readonly type: number;
  readonly fields: { readonly [N in Exclude<keyof M, "kind">]-?: Field<M[N]> };
}

type Layouts<M extends { readonly kind: string }> = {
  readonly [K in M["kind"]]: Layout<Extract<M, { readonly kind: K }>>;
};

const CLIENT: Layouts<ClientMessage> = {
  createSession: { type: 1, fields: { capabilities, nonce } },
  continueSession: { type: 2, fields: { sessionId: s8, nonce } },
  keepAlive: { type: 3, fields: { time } },
  clientRequest: {
    type: 4,
    fields: { requestId: id, lowestPending: id, payload: blob, createdAt: time },
  },
  serverRequestAck: { type: 5, fields: { requestId: id } },
  closeSession: { type: 6, fields: { reason: u8 } },
  connectionClosed: { type: 7, fields: {} },
  query: { type: 8, fields: { correlationId: name, payload: blob, createdAt: time } },
  hello: { type: 32, fields: { token: s16, flags: u16 } },
};

const SERVER: Layouts<ServerMessage> = {
  sessionCreated: { type: 1, fields: { sessionId: s8, nonce } },
  sessionContinued: { type: 2, fields: { nonce } },
  sessionRejected: { type: 3, fields: { reason: u8, nonce, leader } },
  sessionClosed: { type: 4, fields: { reason: u8, leader } },
  keepAliveResponse: { type: 5, fields: { time } },
  clientResponse: { type: 6, fields: { requestId: id, result: blob } },
  serverRequest: { type: 7, fields: { requestId: id, payload: blob, createdAt: time } },
  requestError: { type: 8, fields: { requestId: id, reason: u8 } },
  queryResponse: { type: 9, fields: { correlationId: name, result: blob } },
  sessionState: {
    type: 32,
    fields: {
      floor: id,
      highestRequestId: id,
      lowestUnacked: id,
      lastServerRequestId: id,
      timeoutMs: u32,
      leader: s16,
      term: id,
    },
  },
  clusterInfo: { type: 33, fields: { members, leader: s16, term: id } },
  queryError: { type: 34, fields: { correlationId: name, reason: u8 } },
};

/** Bytes of a frame before its message. */
const LENGTH_BYTES = 4;

/** "zraft", and the version. */
const HEAD = Uint8Array.of(0x7a, 0x72, 0x61, 0x66, 0x74, 1);

/** The frame of a client's message. */
export const clientFrame: (message: ClientMessage) => Uint8Array = encoderOf(CLIENT);

/** The frame of a server's message. */
export const serverFrame: (message: ServerMessage) => Uint8Array = encoderOf(SERVER);

/**
 * The message of a client in what a frame holds.
 *
 * @throws {MessageError} when there is none
 */
export const readClientMessage: (bytes: Uint8Array) => ClientMessage = decoderOf(CLIENT);

/**
 * The message of a server in what a frame holds.
 *
 * @throws {MessageError} when there is none
 */
export const readServerMessage: (bytes: Uint8Array) => ServerMessage = decoderOf(SERVER);

/** A layout whose fields are known by their names only. */
interface AnyLayout {
  readonly kind: string;
  readonly type: number;
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[];
}

function layoutsOf<M extends { readonly kind: string }>(layouts: Layouts<M>): AnyLayout[] {
  return Object.entries<{ readonly type: number; readonly fields: object }>(layouts).map(
    ([kind, { type, fields }]) => ({ kind, type, fields: Object.entries(fields) }),
  );
}

function encoderOf<M extends { readonly kind: string }>(
  layouts: Layouts<M>,
): (message: M) => Uint8Array {
  const byKind = new Map(layoutsOf(layouts).map((layout) => [layout.kind, layout]));
  const start = LENGTH_BYTES + HEAD.length + 1;
  return (message) => {
    const { type, fields } = byKind.get(message.kind) as AnyLayout;
    const values = message as unknown as Readonly<Record<string, unknown>>;
    let size = start;
    for (const [name, field] of fields) size += field.size(values[name]);
    const frame = new Uint8Array(size);
    putU32(frame, 0, size - LENGTH_BYTES);
    frame.set(HEAD, LENGTH_BYTES);
    frame[start - 1] = type;
    let at = start;
    for (const [name, field] of fields) at = field.write(frame, at, values[name]);
    return frame;
  };
}

function decoderOf<M extends { readonly kind: string }>(
  layouts: Layouts<M>,
): (bytes: Uint8Array) => M {
  const byType = new Map(layoutsOf(layouts).map((layout) => [layout.type, layout]));
  return (bytes) => {
    if (bytes.length <= HEAD.length || HEAD.some((byte, i) => bytes[i] !== byte)) {
      throw new MessageError("Expected a message of version 1, got something else");
    }
    const type = bytes[HEAD.length] as number;
    const layout = byType.get(type);
    if (layout === undefined) throw new MessageError(`Message has the unknown type ${type}`);
    const reader = new Reader(bytes.subarray(HEAD.length + 1));
    const message: Record<string, unknown> = { kind: layout.kind };
    for (const [name, field] of layout.fields) message[name] = field.read(reader);
    if (reader.left > 0) throw new MessageError(`Message has ${reader.left} bytes too many`);
    return message as unknown as M;
  };
}
