/**
 * Many idle clients of a port, in a process of their own: in one process both ends would meet the limit of file descriptors
 * sooner.
 *
 * `SKEIN_IDLE_CLIENTS` says how many, 2,000 by default. Each takes a file descriptor here and one in the second process, so
 * 10,000 need a hard limit of some more: `ulimit -Hn` (Deno raises the soft limit itself).
 *
 * @module
 */

import assert from "node:assert/strict";

/** How many clients. */
export const IDLE_CLIENTS = Number(Deno.env.get("SKEIN_IDLE_CLIENTS") ?? 2_000);

/** What the memory of a process may grow by for other reasons, in KiB. */
const NOISE_KIB = 16 * 1_024;

/** What a client sends, and what it has to get for it. */
type Exchange = readonly [request: Uint8Array, answer: Uint8Array];

/** Opens {@linkcode IDLE_CLIENTS} connections, each of which says `hello` now and `ask` when it is told to. */
export class IdleClients implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  private constructor({ hostname, port }: Deno.NetAddr, hello: Exchange, ask: Exchange) {
    const program = new URL("./idle_clients.ts", import.meta.url).pathname;
    const texts = [...hello, ...ask].map((bytes) => bytes.toHex());
    const args = [hostname, String(port), String(IDLE_CLIENTS), ...texts];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", program, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#writer = this.#child.stdin.getWriter();
  }

  /** Resolves when all are open; fails when each of them takes more than `mostKib`. */
  static async open(
    address: Deno.NetAddr,
    hello: Exchange,
    ask: Exchange,
    mostKib: number,
  ): Promise<IdleClients> {
    const before = Deno.memoryUsage().rss;
    const clients = new IdleClients(address, hello, ask);
    await clients.#said("open");
    const each = (Deno.memoryUsage().rss - before) / IDLE_CLIENTS / 1_024;
    assert.ok(each < mostKib + NOISE_KIB / IDLE_CLIENTS, `${each} KiB each`);
    return clients;
  }

  /** Each asks, and gets its answer. */
  async ask(): Promise<void> {
    await this.#tell("ask");
    await this.#said("asked");
  }

  /** Closes all connections. */
  close(): Promise<void> {
    return this.#tell("close");
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.cancel();
    await this.#child.status;
  }

  #tell(line: string): Promise<void> {
    return this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  async #said(word: string): Promise<void> {
    assert.equal((await this.#lines.read()).value, `${word}\n`);
  }
}
