/**
 * What comes of LIST: items, and how far it has come.
 *
 * @module
 */

import { MAX_LISTED } from "../../../../protocol/kv/limits.ts";
import { DecodeError, Reader, written } from "../../../../protocol/msgpack/mod.ts";
import { readBytes, readUint } from "../../strict.ts";

/**
 * Most bytes of the items of one listing: with all that stands around them in a line they take less than 1 MiB, and the longest
 * value with its path less than this. Peers take frames of 16 MiB.
 */
export const MAX_LISTED_BYTES = 1_000_000;

/** A part of a listing. */
export interface Page {
  /** `done`: nothing follows. `full`: no more items were wanted. `tired`: it is to be gone on with; there may be no item at all. */
  readonly end: "done" | "full" | "tired";
  /** The path after which the next page goes on; empty when nothing was gone past. */
  readonly last: Uint8Array;
  /** How many items there are. */
  readonly count: number;
  /** The JSON texts of the items with commas between them. */
  readonly items: Uint8Array;
}

const ENDS = ["done", "full", "tired"] as const;

/** A page as the body of a result: end, last, count, items, each a MessagePack value. */
export function encodePage({ end, last, count, items }: Page): Uint8Array<ArrayBuffer> {
  return written("rpc", (writer) => {
    writer.uint(ENDS.indexOf(end));
    writer.bytes(last);
    writer.uint(count);
    writer.bytes(items);
  });
}

/**
 * The page in the body of a result, as views of it.
 *
 * @throws {DecodeError} when it is none
 */
export function decodePage(body: Uint8Array): Page {
  const reader = new Reader(body);
  const end = ENDS[readUint(reader, 0, ENDS.length - 1)] as Page["end"];
  const last = readBytes(reader);
  const count = readUint(reader, 0, MAX_LISTED);
  const items = readBytes(reader);
  if (reader.remaining > 0) throw new DecodeError(`Page has ${reader.remaining} bytes too many`);
  return { end, last, count, items };
}
