/**
 * Output a line at a time.
 *
 * @module
 */

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

/** Writes lines one after the other, so that no two are mixed. */
export class LineWriter {
  /** Whether a write failed, which it does when the reader is gone. */
  broken = false;
  #output: Output;
  #tail: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #dropped = 0;

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
    return this.#queue(new TextEncoder().encode(text));
  }

  #queue(bytes: Uint8Array): Promise<void> {
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#dropped++;
      return this.#tail;
    }
    this.#waitingBytes += bytes.length;
    this.#tail = this.#tail.then(async () => {
      await this.#writeAll(bytes);
      this.#waitingBytes -= bytes.length;
      if (this.#waitingBytes > 0 || this.#dropped === 0) return;
      const notice = `(${this.#dropped} lines of output were dropped: the reader was too slow)\n`;
      this.#dropped = 0;
      await this.#writeAll(new TextEncoder().encode(notice));
    });
    return this.#tail;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    try {
      while (rest.length > 0 && !this.broken) rest = rest.subarray(await this.#output.write(rest));
    } catch {
      this.broken = true;
    }
  }
}

function withNewline(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = 0x0a;
  return line;
}
