/**
 * Reads small files without trusting their size.
 *
 * @module
 */

import { concatBytes } from "../../protocol/bytes.ts";
import { decodeUtf8 } from "../../protocol/text.ts";

/** A file that is larger than what is read. */
export class FileTooLargeError extends Error {
  /** "FileTooLargeError". */
  override readonly name = "FileTooLargeError";
}

/** Bytes that are asked for at a time. */
const CHUNK_BYTES = 16 * 1024;

/**
 * The text of a file, a pipe or a device of at most `maxBytes` bytes, without a byte order mark.
 *
 * @throws {FileTooLargeError} when there is more.
 * @throws {Error} of the operating system when it cannot be read.
 */
export async function readTextBounded(path: string, maxBytes: number): Promise<string> {
  using file = await Deno.open(path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const read = await file.read(chunk);
    if (read === null) return decodeUtf8(concatBytes(chunks)).replace(/^\ufeff/, "");
    length += read;
    if (length > maxBytes) throw new FileTooLargeError(`file exceeds ${maxBytes} bytes`);
    chunks.push(chunk.subarray(0, read));
  }
}
