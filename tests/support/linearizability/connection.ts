/**
 * A connection of a client, as anybody writes one who reads the protocol: it knows nothing of the project's code.
 *
 * @module
 */

/** Where a server answers clients. */
export interface Place {
  readonly hostname: string;
  readonly port: number;
}

/** An answer on the wire. */
export interface Reply {
  readonly status: "ok" | "error";
  readonly result?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly rev?: number;
  readonly ttl_ms?: number;
}

/** Longest line of an answer, in bytes. */
const MAX_LINE_BYTES = 1 << 20;

/** A server answers within 5 s if it runs; a client does not wait that long before it asks another one, in milliseconds. */
const PATIENCE_MS = 3_000;

/** One request at a time, to one server or another. */
export class Connection implements Disposable {
  #conn: Deno.TcpConn | undefined;
  /** Bytes behind the last whole line. */
  #rest = new Uint8Array(0);

  /** Whether there is a connection. */
  get isOpen(): boolean {
    return this.#conn !== undefined;
  }

  /** Connects to a server instead; false when that does not work within a second. */
  async open(place: Place): Promise<boolean> {
    this.close();
    const limit = AbortSignal.timeout(1_000);
    try {
      this.#conn = await Deno.connect({ ...place, signal: limit });
      return true;
    } catch (error) {
      if (limit.aborted || isLost(error)) return false;
      throw error;
    }
  }

  /** Asks for something. Returns the answer; `undefined` when there is none, and then the connection is closed. */
  async ask(request: object): Promise<Reply | undefined> {
    const conn = this.#conn;
    if (conn === undefined) throw new Error("Not connected");
    // A read cannot be aborted; it ends with the connection.
    const limit = setTimeout(() => this.close(), PATIENCE_MS);
    try {
      let bytes = new TextEncoder().encode(JSON.stringify(request) + "\n");
      while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
      return JSON.parse(await this.#line(conn));
    } catch (error) {
      if (!isLost(error)) throw error;
      this.close();
      return undefined;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Closes the connection, if there is one. */
  close(): void {
    const conn = this.#conn;
    this.#conn = undefined;
    this.#rest = new Uint8Array(0);
    conn?.close();
  }

  /** Same as {@linkcode Connection.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #line(conn: Deno.TcpConn): Promise<string> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = new TextDecoder().decode(this.#rest.subarray(0, end));
        this.#rest = this.#rest.slice(end + 1);
        // What a server says by itself is no answer.
        if (!line.startsWith('{"push"')) return line;
        continue;
      }
      if (this.#rest.length > MAX_LINE_BYTES) throw new Error("Line of a server has no end");
      const count = await conn.read(buffer);
      if (count === null) throw new Deno.errors.ConnectionReset("Closed by the server");
      const longer = new Uint8Array(this.#rest.length + count);
      longer.set(this.#rest);
      longer.set(buffer.subarray(0, count), this.#rest.length);
      this.#rest = longer;
    }
  }
}

/** Errors of connections to servers that are killed, stopped or cut off, and of those that the client closed. */
function isLost(error: unknown): boolean {
  return LOSSES.some((loss) => error instanceof loss);
}

const LOSSES = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
];
