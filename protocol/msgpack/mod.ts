/**
 * MessagePack in the two dialects of Serf's wires, with 64-bit integers exact and every claim in the bytes
 * checked before memory is spent on it.
 *
 * @example A message there and back
 * ```ts
 * import { decode, encode, str, struct, u32 } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * const Ping = struct({ SeqNo: u32, Node: str });
 * const bytes = encode(Ping, { SeqNo: 7, Node: "web-1" }, "gossip");
 * assert.deepEqual(decode(Ping, bytes), { SeqNo: 7, Node: "web-1" });
 * ```
 *
 * @module
 */

export { DecodeError, DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { type Dialect, Writer } from "./writer.ts";
export { Reader } from "./reader.ts";
export {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  f64,
  i32,
  i64,
  type Infer,
  list,
  optional,
  record,
  secret,
  seq,
  str,
  u16,
  u32,
  u64,
  u8,
  written,
  writtenBy,
} from "./codec.ts";
export { type Fields, struct, type StructCodec, type StructOf } from "./struct.ts";
export {
  decodeValue,
  type DecodeValueOptions,
  type Encodable,
  encodeValue,
  Extension,
  type Value,
} from "./value.ts";
export { Splitter, type SplitterLimits } from "./splitter.ts";
