/**
 * A client that sends and reads lines, as slowly as a test wants.
 *
 * @module
 */

import assert from "node:assert/strict";
import { withPatience } from "../rpc/peer.ts";

/** A client of a {@linkcode LinePort}. */
export class LineClient implements Disposable {
  readonly #conn: Deno.Conn;
  /** Its `ip:port`. */
  readonly name: string;
  /** Whole lines, then the beginning of the next one. */
  #received: string[] = [""];
  readonly #decoder = new TextDecoder();

  /** Takes over `conn`. */
  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    const { hostname, port } = conn.localAddr as Deno.NetAddr;
    this.name = `${hostname}:${port}`;
  }

  /** Connects. */
  static async connect({ hostname, port }: Deno.NetAddr): Promise<LineClient> {
    return new LineClient(await Deno.connect({ hostname, port }));
  }

  /** Sends text, or bytes. */
  async send(text: string | Uint8Array): Promise<void> {
    let bytes: Uint8Array = typeof text === "string" ? new TextEncoder().encode(text) : text;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  /** Sends no more. */
  async finish(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** The next `count` lines. */
  async lines(count: number): Promise<string[]> {
    while (this.#received.length <= count) {
      assert.ok(await this.#read(), "closed while a line was awaited");
    }
    return this.#received.splice(0, count);
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    while (await this.#read());
    return this.#received.splice(0).join("\n");
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // Closed before.
    }
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await withPatience(this.#conn.read(buffer).catch(() => null));
    if (count === null) return false;
    const text = this.#decoder.decode(buffer.subarray(0, count), { stream: true });
    const [more = "", ...begun] = text.split("\n");
    this.#received.push(this.#received.pop() + more, ...begun);
    return true;
  }
}
