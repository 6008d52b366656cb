/**
 * Reads MessagePack in the one spelling in which it is written.
 *
 * The decoder of the wires takes every spelling that a Go peer may send, and may learn more of them. What the log holds must be
 * taken or refused by every version of the program alike, so nothing but the shortest spelling counts here.
 *
 * @module
 */

import { DecodeError, type Reader } from "../../protocol/msgpack/mod.ts";

/** An unsigned integer from `min` to `max`. Throws a {@linkcode DecodeError} for anything else. */
export function readUint(reader: Reader, min: number, max: number): number {
  const start = reader.offset;
  const type = reader.peek();
  if (type >= 0x80 && (type < 0xcc || type > 0xcf)) refuse("an unsigned integer", start);
  const value = reader.int(min, max);
  if (reader.offset - start !== uintBytes(value)) refuse("an unsigned integer", start);
  return value;
}

/** An integer of a signed kind from -(2^53-1) to 2^53-1. Throws a {@linkcode DecodeError} for anything else. */
export function readInt(reader: Reader): number {
  const start = reader.offset;
  const type = reader.peek();
  if (type >= 0x80 && type < 0xe0 && (type < 0xd0 || type > 0xd3)) refuse("an integer", start);
  const value = reader.int(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (reader.offset - start !== intBytes(value)) refuse("an integer", start);
  return value;
}

/** A byte string, as a view. Throws a {@linkcode DecodeError} for anything else, nil and texts too. */
export function readBytes(reader: Reader): Uint8Array {
  const start = reader.offset;
  const type = reader.peek();
  if (type < 0xc4 || type > 0xc6) refuse("a byte string", start);
  const bytes = reader.byteString() as Uint8Array;
  const head = bytes.length < 0x100 ? 2 : bytes.length < 0x10000 ? 3 : 5;
  if (reader.offset - start !== head + bytes.length) refuse("a byte string", start);
  return bytes;
}

function uintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x100) return 2;
  if (value < 0x10000) return 3;
  return value < 0x1_0000_0000 ? 5 : 9;
}

function intBytes(value: number): number {
  if (value >= -0x20 && value < 0x80) return 1;
  if (value >= -0x80 && value < 0) return 2;
  if (value >= -0x8000 && value < 0x8000) return 3;
  return value >= -0x8000_0000 && value < 0x8000_0000 ? 5 : 9;
}

function refuse(wanted: string, start: number): never {
  throw new DecodeError(`Expected ${wanted} in its shortest spelling at byte ${start}`);
}
