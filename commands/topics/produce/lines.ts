/**
 * Lines of an input, as bytes.
 *
 * @module
 */

import { concatBytes } from "../../../protocol/bytes.ts";

const NEWLINE = 0x0a;

/** A line takes more bytes than it may. */
export class LongLineError extends Error {
  /** "LongLineError". */
  override readonly name = "LongLineError";
}

/**
 * The lines of an input, without their ends, in groups as they come; until it ends or `stop` fires.
 *
 * @param longest Bytes of a line, at most.
 * @throws {LongLineError} when there is a longer one, after the lines before it
 */
export async function* linesOf(
  input: ReadableStream<Uint8Array>,
  longest: number,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array[]> {
  const reader = input.getReader();
  const stopped = Promise.withResolvers<{ readonly done: true; readonly value?: undefined }>();
  const onStop = () => stopped.resolve({ done: true });
  stop.addEventListener("abort", onStop);
  /** What came of a line that has not ended. */
  let parts: Uint8Array[] = [];
  let length = 0;
  let count = 0;
  const isLong = () => new LongLineError(`Line ${count + 1} takes more than ${longest} bytes`);
  try {
    while (!stop.aborted) {
      const { done, value } = await Promise.race([reader.read(), stopped.promise]);
      if (done || stop.aborted) break;
      const lines: Uint8Array[] = [];
      let from = 0;
      for (let to = value.indexOf(NEWLINE); to >= 0; to = value.indexOf(NEWLINE, from)) {
        if (length + to - from > longest) break;
        parts.push(value.subarray(from, to));
        lines.push(parts.length === 1 ? parts[0] as Uint8Array : concatBytes(parts));
        parts = [];
        length = 0;
        from = to + 1;
        count++;
      }
      if (lines.length > 0) yield lines;
      length += value.length - from;
      parts.push(value.subarray(from));
      if (length > longest) throw isLong();
    }
    if (length > 0 && !stop.aborted) yield [concatBytes(parts)];
  } finally {
    stop.removeEventListener("abort", onStop);
    // Of standard input nobody knows when a read ends; the process does before.
    reader.cancel().catch(() => {});
  }
}
