/**
 * Responses as bytes in the outbox of a client.
 *
 * @module
 */

import { ResponseHeader } from "../../protocol/ipc/mod.ts";
import type { Writer } from "../../protocol/msgpack/mod.ts";
import type { Outbox } from "../net/outbox.ts";

/** The body of a response: its bytes, or what writes it. */
export type Body = Uint8Array | ((writer: Writer) => void);

/** The first bytes of every success: a map of 2, `Error`, an empty text, `Seq`. */
const SUCCESS = new Uint8Array([0x82, 0xa5, 69, 114, 114, 111, 114, 0xa0, 0xa3, 83, 101, 113]);

/** Appends a response: a header and a body. What writing it throws passes through, and nothing is appended. */
export function respond(
  outbox: Outbox<Writer>,
  seq: number | bigint,
  error: string,
  body?: Body,
): void {
  const writer = outbox.open();
  if (writer === undefined) return;
  const start = writer.length;
  try {
    if (error === "") {
      writer.raw(SUCCESS);
      writer.uint(seq);
    } else {
      ResponseHeader.write(writer, { Error: error, Seq: seq });
    }
    if (typeof body === "function") body(writer);
  } catch (problem) {
    writer.reset(start);
    throw problem;
  }
  if (body instanceof Uint8Array) outbox.append(body);
}
