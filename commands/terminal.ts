/**
 * Where a command prints.
 *
 * @module
 */

/** Standard output and standard error, a line at a time, and what decides how they look. */
export interface Terminal {
  /** Whether standard output shows colours: it is a terminal and `NO_COLOR` is not set. */
  readonly color: boolean;
  /** Whether the reader of standard output is gone. Lines written since then are dropped without an error. */
  readonly broken: boolean;
  /** Writes `text` and a newline to standard output. Resolves, and never rejects, when it is written or dropped. */
  out(text: string): Promise<void>;
  /** Writes `text` and a newline to standard error, as {@linkcode Terminal.out}. */
  err(text: string): Promise<void>;
  /** Resolves when everything was written, or after `timeoutMs` milliseconds. */
  flush(timeoutMs: number): Promise<void>;
}

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
  write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text + "\n");
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

/** The terminal, files or pipes that this process was started with. */
export function processTerminal(): Terminal {
  const stdout = new LineWriter(Deno.stdout);
  const stderr = new LineWriter(Deno.stderr);
  return {
    color: Deno.stdout.isTerminal() && !Deno.noColor,
    get broken() {
      return stdout.broken;
    },
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    async flush(timeoutMs) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, timeoutMs);
      await Promise.race([Promise.all([stdout.idle, stderr.idle]), late.promise]);
      clearTimeout(timer);
    },
  };
}
