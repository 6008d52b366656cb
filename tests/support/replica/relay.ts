/**
 * A way between two servers that sees every byte, and may hold them back, cut them into pieces, change them or lose them.
 *
 * @module
 */

/** Passes connections on. */
export class Relay implements AsyncDisposable {
  /** What came from those who dialled, by connection. */
  readonly sent: Uint8Array[][] = [];
  /** Whether bytes are swallowed in both directions, as by a network that is cut without a word. */
  isCut = false;
  /** What becomes of a chunk of who dialled; by default it is passed on as it is. */
  bend: (chunk: Uint8Array) => Uint8Array[] = (chunk) => [chunk];
  readonly #listener: Deno.TcpListener;
  readonly #to: { host: string; port: number };
  readonly #open = new Set<Deno.Conn>();
  readonly #tasks: Promise<void>[] = [];

  /** Listens on a free port and passes on to `to`. */
  constructor(host: string, to: { host: string; port: number }) {
    this.#listener = Deno.listen({ hostname: host, port: 0 });
    this.#to = to;
    this.#tasks.push(this.#accept());
  }

  /** Where it listens. */
  get address(): { host: string; port: number } {
    const { hostname, port } = this.#listener.addr;
    return { host: hostname, port };
  }

  /** Closes all connections, and goes on listening. */
  hangUp(): void {
    for (const conn of this.#open) close(conn);
    this.#open.clear();
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.hangUp();
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    try {
      for await (const near of this.#listener) {
        const far = await Deno.connect({ hostname: this.#to.host, port: this.#to.port });
        this.#open.add(near).add(far);
        const chunks: Uint8Array[] = [];
        this.sent.push(chunks);
        this.#tasks.push(
          this.#pass(near, far, (chunk) => {
            chunks.push(chunk);
            return this.bend(chunk);
          }),
          this.#pass(far, near, (chunk) => [chunk]),
        );
      }
    } catch { /* It was closed. */ }
  }

  async #pass(
    from: Deno.Conn,
    to: Deno.Conn,
    bend: (chunk: Uint8Array) => Uint8Array[],
  ): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (this.isCut) continue;
        for (const part of bend(buffer.slice(0, count))) await writeAll(to, part);
      }
    } catch { /* One end is gone. */ }
    close(from);
    close(to);
  }
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch { /* It is closed. */ }
}
