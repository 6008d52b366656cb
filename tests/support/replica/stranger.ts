/**
 * Whoever connects to the port for peers with bytes of its own making.
 *
 * @module
 */

import { frameOf } from "../../../server/replica/peers/frames.ts";
import { encodeHello, encodePreamble, type Hello } from "../../../server/replica/peers/hello.ts";
import { concat, withPatience } from "../rpc/peer.ts";
import { CLUSTER } from "./link_server.ts";
import { writeAll } from "./relay.ts";

/** A connection without a server behind it. */
export class Stranger implements Disposable {
  readonly #conn: Deno.Conn;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects. */
  static async connect({ host, port }: { host: string; port: number }): Promise<Stranger> {
    return new Stranger(await Deno.connect({ hostname: host, port }));
  }

  /** Sends bytes. */
  async send(...chunks: Uint8Array[]): Promise<void> {
    await writeAll(this.#conn, concat(chunks));
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await withPatience(this.#conn.read(buffer).catch(() => null));
      if (count === null) return concat(chunks);
      chunks.push(buffer.slice(0, count));
    }
  }

  /** The next bytes. */
  async next(): Promise<Uint8Array> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await withPatience(this.#conn.read(buffer));
    return buffer.subarray(0, count ?? 0);
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch { /* It is closed. */ }
  }
}

/** A preamble in the open. */
export const PREAMBLE: Uint8Array = encodePreamble(false, new Uint8Array(16));

/** The frame of a hello for the server of an id. */
export function helloFrame(to: string, changes: Partial<Hello> = {}): Uint8Array {
  const hello: Hello = { lane: "talk", clusterId: CLUSTER, id: "f".repeat(32), name: "f", to };
  return frameOf(0, encodeHello({ ...hello, ...changes }));
}
