/**
 * Output a line at a time.
 *
 * @module
 */

import { encodeUtf8 } from "../../protocol/text.ts";

/** A place for bytes, as `Deno.stdout` is. */
export interface Output {
  /** Writes some of `bytes` and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Bytes that may wait for a slow reader. A command that waits for each line never has more than one waiting; an agent
 * must not stop because nobody reads its output, so what exceeds this is dropped, and the number of lost lines is told
 * when the reader goes on.
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

const NEWLINE = 0x0a;

/** Writes lines one after the other, so that no two are mixed. */
export class LineWriter {
  /** Whether a write failed, which it does when the reader is gone. */
  broken = false;
  /** Why the last write failed that did, when it is not that the reader is gone. */
  problem: string | undefined;
  #output: Output;
  #tail: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #dropped = 0;
  /** Whether nobody will ever read what is written. */
  #unread = false;
  /** Whether the last write ended in the middle of a line. */
  #torn = false;

  /** Writes to `output` from now on; nobody else may. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Resolves when the lines written so far have left. */
  get idle(): Promise<void> {
    return this.#tail;
  }

  /** Writes a line. Resolves when it was written or dropped; never rejects. */
  write(text: string | Uint8Array): Promise<void> {
    return typeof text === "string" ? this.writeRaw(text + "\n") : this.#queue(withNewline(text));
  }

  /** Writes a text without a newline after it, as {@linkcode LineWriter.write}. */
  writeRaw(text: string): Promise<void> {
    return this.#queue(encodeUtf8(text));
  }

  #queue(bytes: Uint8Array): Promise<void> {
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#dropped++;
      return this.#tail;
    }
    this.#waitingBytes += bytes.length;
    this.#tail = this.#tail.then(async () => {
      const written = await this.#writeAll(bytes);
      this.#waitingBytes -= bytes.length;
      if (!written) this.#dropped++;
      else if (this.#waitingBytes === 0 && this.#dropped > 0) await this.#tellDropped();
    });
    return this.#tail;
  }

  async #tellDropped(): Promise<void> {
    const notice =
      `(${this.#dropped} lines of output were dropped: they could not be written in time)\n`;
    if (await this.#writeAll(encodeUtf8(notice))) this.#dropped = 0;
  }

  /** Writes what it can; a full disk may have room again for the next line. Returns whether everything was written. */
  async #writeAll(bytes: Uint8Array): Promise<boolean> {
    if (this.#unread) return false;
    try {
      if (this.#torn) await this.#output.write(Uint8Array.of(NEWLINE));
      this.#torn = false;
      for (let rest = bytes; rest.length > 0;) {
        rest = rest.subarray(await this.#output.write(rest));
        this.#torn = rest.length > 0;
      }
      return true;
    } catch (error) {
      this.broken = true;
      this.#unread = error instanceof Deno.errors.BrokenPipe;
      this.problem = this.#unread || !(error instanceof Error) ? undefined : error.message;
      return false;
    }
  }
}

function withNewline(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = NEWLINE;
  return line;
}
