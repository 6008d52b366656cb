/**
 * From requests and replies to frames and back.
 *
 *     request   u32 length | u64 id | u8 type | u8 version | u16 flags | payload | u32 CRC-32
 *     reply     u32 length | u64 id | u8 status | u16 code | payload | u32 CRC-32
 *
 * The length is that of all that follows it; the checksum is that of everything from the id to the end of the payload.
 *
 * @module
 */

import { crc32 } from "./zlib/checksum.ts";
import { getU32, getU64 } from "../bytes.ts";
import { CODE, CODEC, FLAG, STATUS, VERSION } from "./codes.ts";
import { FrameError, PayloadError } from "./errors.ts";
import { type Kind, KINDS, type Layout } from "./layouts.ts";
import { MAX_FRAME_BYTES, MIN_REPLY_BYTES, MIN_REQUEST_BYTES } from "./limits.ts";
import { Reader } from "./reader.ts";
import type { Replies, Reply, Request, RequestId, RequestKind, Requests } from "./requests.ts";
import type { FrameWriter } from "./writer.ts";

const CHECKSUM_BYTES = 4;
/** Where payloads begin in a frame without its length. */
const REQUEST_PAYLOAD_AT = MIN_REQUEST_BYTES - CHECKSUM_BYTES;
const REPLY_PAYLOAD_AT = MIN_REPLY_BYTES - CHECKSUM_BYTES;

/** How a request is sent. */
export interface Sending {
  /** Default 2. */
  readonly version?: number;
  /** Bits of `FLAG`. Default: none. */
  readonly flags?: number;
}

/** The kinds by their numbers. */
const BY_TYPE: (readonly [RequestKind, Kind<unknown, unknown>] | undefined)[] = [];
for (const [name, kind] of Object.entries(KINDS)) {
  BY_TYPE[kind.type] = [name as RequestKind, kind as Kind<unknown, unknown>];
}

/** The flags of a request: `flags`, and that it is, or asks for what is, compressed. */
export function flagsOf(request: object, flags: number): number {
  return "codec" in request && request.codec !== CODEC.none ? flags | FLAG.compressed : flags;
}

/**
 * Appends a request.
 *
 * @throws {RangeError} when it cannot be written, or is too long for a frame; nothing is appended then
 */
export function writeRequest<K extends RequestKind>(
  writer: FrameWriter,
  id: RequestId,
  kind: K,
  request: Requests[K],
  { version = VERSION.second, flags = 0 }: Sending = {},
): void {
  const { type } = KINDS[kind];
  const layout = layoutOf(kind, version, flags);
  const start = writer.begin();
  try {
    writeId(writer, id);
    writer.u8(type);
    writer.u8(version);
    writer.u16(flags);
    layout.request.write(writer, request);
    writer.end(start);
  } catch (error) {
    writer.reset(start);
    throw error;
  }
}

/**
 * Appends the reply to a request of one kind, version and flags.
 *
 * @throws {RangeError} when it cannot be written, or is too long for a frame; nothing is appended then
 */
export function writeReply<K extends RequestKind>(
  writer: FrameWriter,
  id: RequestId,
  kind: K,
  version: number,
  reply: Replies[K],
  flags = 0,
): void {
  const layout = layoutOf(kind, version, flags);
  const start = writer.begin();
  try {
    writeReplyHead(writer, id, STATUS.ok, 0);
    layout.reply.write(writer, reply);
    writer.end(start);
  } catch (error) {
    writer.reset(start);
    throw error;
  }
}

/** Appends the reply to a request that was not done, or failed. */
export function writeError(
  writer: FrameWriter,
  id: RequestId,
  code: number,
  message: string,
): void {
  const start = writer.begin();
  writeReplyHead(writer, id, STATUS.error, code);
  writer.text(message);
  writer.end(start);
}

/**
 * The request in what a frame holds after its length. Messages in it are views, and were not looked at.
 *
 * @throws {FrameError} when there is none; it says what is to be answered, and whether the connection can go on
 */
export function readRequest(bytes: Uint8Array): Request {
  if (bytes.length < MIN_REQUEST_BYTES) {
    throw new FrameError(`A request of ${bytes.length} bytes`, CODE.INVALID_REQUEST, true);
  }
  const id = readId(bytes);
  if (!isIntact(bytes)) {
    throw new FrameError("Frame has another checksum", CODE.CHECKSUM_MISMATCH, true, id);
  }
  const type = bytes[8] as number;
  const version = bytes[9] as number;
  const flags = (bytes[10] as number) << 8 | (bytes[11] as number);
  const refuse = (message: string, code: number): FrameError => {
    // Who waits for no reply gets none.
    return new FrameError(message, code, false, flags & FLAG.async ? undefined : id);
  };
  if (version !== VERSION.first && version !== VERSION.second) {
    throw refuse(`Version ${version}, expected 1 or 2`, CODE.INVALID_PROTOCOL);
  }
  const [kind, known] = BY_TYPE[type] ?? [];
  if (known?.versions[version - 1] === undefined) {
    const name = `0x${type.toString(16).padStart(2, "0")}`;
    throw refuse(`Version ${version} knows no request ${name}`, CODE.UNKNOWN_REQUEST);
  }
  const layout = chosen(known, version, flags);
  if (layout === undefined) throw refuse("This cannot be compressed", CODE.INVALID_REQUEST);
  try {
    const payload = bytes.subarray(REQUEST_PAYLOAD_AT, bytes.length - CHECKSUM_BYTES);
    const body = readPayload(layout.request, payload);
    return { kind, id, version, flags, body } as Request;
  } catch (error) {
    if (error instanceof PayloadError) throw refuse(error.message, error.code);
    throw error;
  }
}

/**
 * The head of the reply in what a frame holds after its length.
 *
 * @throws {FrameError} when there is none; the connection is to be closed
 */
export function readReplyHead(bytes: Uint8Array): Reply {
  if (bytes.length < MIN_REPLY_BYTES) {
    throw new FrameError(`A reply of ${bytes.length} bytes`, CODE.INVALID_PROTOCOL, true);
  }
  if (!isIntact(bytes)) {
    throw new FrameError("Reply has another checksum", CODE.CHECKSUM_MISMATCH, true);
  }
  return {
    id: readId(bytes),
    status: bytes[8] as number,
    code: (bytes[9] as number) << 8 | (bytes[10] as number),
    payload: bytes.subarray(REPLY_PAYLOAD_AT, bytes.length - CHECKSUM_BYTES),
  };
}

/**
 * The result in the payload of a reply to a request of one kind, version and flags, when its status is OK. Messages in it are views,
 * and were not looked at.
 *
 * @throws {PayloadError} when there is none
 */
export function readReply<K extends RequestKind>(
  payload: Uint8Array,
  kind: K,
  version: number = VERSION.second,
  flags = 0,
): Replies[K] {
  return readPayload(layoutOf(kind, version, flags).reply, payload);
}

/**
 * What the payload of a reply says whose status is not OK.
 *
 * @throws {PayloadError} when it says nothing
 */
export function readError(payload: Uint8Array): string {
  const reader = new Reader(payload);
  const message = reader.text(MAX_FRAME_BYTES);
  reader.end();
  return message;
}

function layoutOf<K extends RequestKind>(
  kind: K,
  version: number,
  flags: number,
): Layout<Requests[K], Replies[K]> {
  const layout = chosen<Requests[K], Replies[K]>(KINDS[kind], version, flags);
  if (layout !== undefined) return layout;
  throw new RangeError(`Version ${version} has no ${kind} with the flags ${flags}`);
}

function chosen<Q, R>(
  { versions, compressed }: Kind<Q, R>,
  version: number,
  flags: number,
): Layout<Q, R> | undefined {
  if ((flags & FLAG.compressed) === 0) return versions[version - 1];
  return version === VERSION.second ? compressed : undefined;
}

function readPayload<T>(type: { read(reader: Reader): T }, payload: Uint8Array): T {
  const reader = new Reader(payload);
  const value = type.read(reader);
  reader.end();
  return value;
}

function writeReplyHead(writer: FrameWriter, id: RequestId, status: number, code: number): void {
  writeId(writer, id);
  writer.u8(status);
  writer.u16(code);
}

function writeId(writer: FrameWriter, id: RequestId): void {
  if (typeof id === "number") writer.i64(id);
  else writer.big64(id);
}

/** Ids that a number holds are numbers. */
function readId(bytes: Uint8Array): RequestId {
  const id = getU64(bytes, 0);
  if (id <= Number.MAX_SAFE_INTEGER) return id;
  return BigInt(getU32(bytes, 0)) << 32n | BigInt(getU32(bytes, 4));
}

function isIntact(bytes: Uint8Array): boolean {
  const end = bytes.length - CHECKSUM_BYTES;
  return crc32(bytes.subarray(0, end)) === getU32(bytes, end);
}
