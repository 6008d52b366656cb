/**
 * What goes before every message of the RPC protocol.
 *
 * @module
 */

import { DecodeError, Reader, seq, str, struct, type StructCodec } from "../msgpack/mod.ts";

/** The lowest protocol version of a handshake an agent takes (docs/spec/agent.md 2). */
export const MIN_IPC_VERSION = 1;
/** The highest protocol version of a handshake an agent takes (docs/spec/agent.md 2). */
export const MAX_IPC_VERSION = 1;

/** Goes before every request. */
export interface RequestHeader {
  /** Name of the command; any text, as it comes from the client. */
  Command: string;
  /** The client's number for the request; the agent only echoes it. A `bigint` above 2^53-1. */
  Seq: number | bigint;
}

/**
 * Goes before every request. An agent reads it with `readInto` over the header that came before on the same
 * connection (at first `RequestHeader.zero()`), because a missing field keeps its last value (docs/spec/agent.md 1.5).
 */
export const RequestHeader: StructCodec<RequestHeader> = struct({ Command: str, Seq: seq });

/** Goes before every response and every record. */
export interface ResponseHeader {
  /** The `Seq` of the request this belongs to. */
  Seq: number | bigint;
  /** What went wrong; empty on success. */
  Error: string;
}

/** Goes before every response and every record. */
export const ResponseHeader: StructCodec<ResponseHeader> = struct({ Seq: seq, Error: str });

/**
 * `value` as a response header when it is one: a map with exactly the keys `Error` and `Seq`, which no body
 * has (docs/spec/agent.md 2). Otherwise `undefined`.
 */
export function asResponseHeader(value: Uint8Array): ResponseHeader | undefined {
  try {
    const reader = new Reader(value);
    if (reader.mapHeader() !== 2) return undefined;
    const first = reader.str();
    reader.skip();
    const second = reader.str();
    const isHeader = (first === "Error" && second === "Seq") ||
      (first === "Seq" && second === "Error");
    return isHeader ? ResponseHeader.read(new Reader(value)) : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
