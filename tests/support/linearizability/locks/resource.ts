/**
 * A resource that takes writes with the number of a lock, and refuses a number below one that it has seen.
 *
 * @module
 */

/** A write that was taken. */
export interface Write {
  readonly fence: number;
  readonly who: string;
}

/** The resource, at an address of its own. */
export class Resource implements AsyncDisposable {
  /** What was taken, in order. */
  readonly writes: Write[] = [];
  /** How many writes were refused. */
  refused = 0;
  readonly #listener: Deno.TcpListener;
  readonly #conns = new Set<Deno.Conn>();
  readonly #serving: Promise<void>[] = [];
  readonly #accepting: Promise<void>;
  #greatest = 0;

  /** Begins. */
  constructor(hostname: string) {
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#accepting = this.#accept();
  }

  /** Where it is. */
  get address(): string {
    return `${this.#listener.addr.hostname}:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await Promise.all([this.#accepting, ...this.#serving]);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.add(conn);
      this.#serving.push(this.#serve(conn));
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4_096);
    let rest = "";
    try {
      for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
        const lines = (rest + new TextDecoder().decode(buffer.subarray(0, count))).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          this.#take(JSON.parse(line));
          await conn.write(new TextEncoder().encode("!"));
        }
      }
    } catch {
      // The contender has gone, or the test is over.
    } finally {
      if (this.#conns.delete(conn)) {
        try {
          conn.close();
        } catch {
          // That is done.
        }
      }
    }
  }

  #take(write: Write): void {
    if (write.fence < this.#greatest) {
      this.refused++;
      return;
    }
    this.#greatest = write.fence;
    this.writes.push(write);
  }
}
