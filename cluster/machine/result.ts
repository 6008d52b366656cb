/**
 * What comes of a command or a question: a body and a revision, or a failure by its code.
 *
 * @module
 */

import { bool, DecodeError, Reader, type Writer, written } from "../../protocol/msgpack/mod.ts";
import { readBytes, readUint } from "./strict.ts";

/** It was done, or the answer. */
export interface Success {
  readonly ok: true;
  /** The revision that the module gives with it; 0 when there is none. */
  readonly rev: number;
  /** What the module says its bytes are; `kv`: the JSON text of the result. A view of the state: not to be changed. */
  readonly body: Uint8Array;
  /** Milliseconds until what was found is due; it may never be. */
  readonly ttlMs?: number;
}

/** It was not done, and nothing has changed. */
export interface Failure {
  readonly ok: false;
  readonly code: number;
  readonly reason: string;
  /** The member of the request that was wrong. */
  readonly field?: string;
  /** The revision that a condition met. */
  readonly rev?: number;
}

/** What comes of a command or a question. */
export type Result = Success | Failure;

/** Bytes that are no command or question of the version that they claim. */
export const INVALID: Failure = { ok: false, code: 422, reason: "INVALID" };
/** A module or operation that does not exist in that version. */
export const UNKNOWN_ACTION: Failure = { ok: false, code: 405, reason: "UNKNOWN_ACTION" };
/** A version that the state has not been upgraded to. */
export const UNSUPPORTED_VERSION: Failure = { ok: false, code: 426, reason: "UNSUPPORTED_VERSION" };

/** First byte of an encoded result; another layout has another one. */
const LAYOUT = 1;

/** A result as bytes, for the peer that passed the command on and for who asks again. */
export function encodeResult(result: Result): Uint8Array<ArrayBuffer> {
  return written("rpc", (writer) => writeResult(writer, result));
}

/**
 * The result in `bytes`; its body is a view of them.
 *
 * @throws {DecodeError} when they are no result
 */
export function decodeResult(bytes: Uint8Array): Result {
  return readResult(new Reader(bytes));
}

/** Writes a result as the last value. */
export function writeResult(writer: Writer, result: Result): void {
  writer.uint(LAYOUT);
  bool.write(writer, result.ok);
  if (result.ok) {
    writer.uint(result.rev);
    writer.bytes(result.body);
    if (result.ttlMs !== undefined) writer.uint(result.ttlMs);
    return;
  }
  const { code, reason, field, rev } = result;
  writer.uint(code);
  writer.str(reason);
  if (field === undefined) writer.nil();
  else writer.str(field);
  if (rev === undefined) writer.nil();
  else writer.uint(rev);
}

/** Reads what {@linkcode writeResult} writes, up to the end. Throws a `DecodeError` for anything else. */
export function readResult(reader: Reader): Result {
  readUint(reader, LAYOUT, LAYOUT);
  const result = reader.bool() ? readSuccess(reader) : readFailure(reader);
  if (reader.remaining > 0) throw new DecodeError(`Result has ${reader.remaining} bytes too many`);
  return result;
}

function readSuccess(reader: Reader): Success {
  const rev = readUint(reader, 0, Number.MAX_SAFE_INTEGER);
  const body = readBytes(reader);
  if (reader.remaining === 0) return { ok: true, rev, body };
  return { ok: true, rev, body, ttlMs: readUint(reader, 0, Number.MAX_SAFE_INTEGER) };
}

function readFailure(reader: Reader): Failure {
  const code = readUint(reader, 0, 999);
  const reason = reader.str();
  const field = reader.nil() ? undefined : reader.str();
  const rev = reader.nil() ? undefined : readUint(reader, 0, Number.MAX_SAFE_INTEGER);
  return {
    ok: false,
    code,
    reason,
    ...(field !== undefined && { field }),
    ...(rev !== undefined && { rev }),
  };
}
