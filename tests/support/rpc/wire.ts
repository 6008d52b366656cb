/**
 * Builds requests byte by byte, so that tests can write what no encoder of ours would.
 *
 * @module
 */

import { concat } from "./peer.ts";

/** Hexadecimal digits, blanks allowed, or bytes. */
export type Piece = string | Uint8Array;

/** The pieces one after the other. */
export function wire(...pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  return concat(
    pieces.map((piece) =>
      typeof piece === "string" ? Uint8Array.fromHex(piece.replaceAll(" ", "")) : piece
    ),
  );
}

/** A text as a fixstr of up to 31 bytes. */
export function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return wire((0xa0 + bytes.length).toString(16), bytes);
}

/** A text as a `raw` of the MessagePack of before 2013, which has no str8: up to 31 bytes, then 16 bits of length. */
export function raw(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (bytes.length < 32) return wire((0xa0 + bytes.length).toString(16), bytes);
  return wire("da" + bytes.length.toString(16).padStart(4, "0"), bytes);
}

/** A text as bin8. */
export function bin(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return wire("c4" + bytes.length.toString(16).padStart(2, "0"), bytes);
}

/** A number as float64. */
export function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = 0xcb;
  new DataView(bytes.buffer).setFloat64(1, value);
  return bytes;
}

/** A header with Seq as given, in the order of most clients. */
export function header(command: string, seq: Piece): Uint8Array {
  return wire("82", text("Command"), text(command), text("Seq"), seq);
}

/** The response of a command that succeeded. */
export function success(seq: Piece): Uint8Array {
  return wire("82", text("Error"), "a0", text("Seq"), seq);
}
