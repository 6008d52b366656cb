/**
 * Reads small files without trusting their size.
 *
 * @module
 */

/** A file that is larger than what is read. */
export class FileTooLargeError extends Error {
  /** "FileTooLargeError". */
  override readonly name = "FileTooLargeError";
}

/** Bytes that are asked for at a time. */
const CHUNK_BYTES = 16 * 1024;

/**
 * The text of a file, a pipe or a device of at most `maxBytes` bytes.
 *
 * @throws {FileTooLargeError} when there is more.
 * @throws {Error} of the operating system when it cannot be read.
 */
export async function readTextBounded(path: string, maxBytes: number): Promise<string> {
  using file = await Deno.open(path);
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let text = "";
  let length = 0;
  for (;;) {
    const read = await file.read(chunk);
    if (read === null) return text + decoder.decode();
    length += read;
    if (length > maxBytes) throw new FileTooLargeError(`file exceeds ${maxBytes} bytes`);
    text += decoder.decode(chunk.subarray(0, read), { stream: true });
  }
}
