/**
 * Telling those who find no room, and getting rid of them.
 *
 * @module
 */

import { LINGER_MS } from "./limits.ts";
import type { Wire } from "./wire/wire.ts";

/** Peers that are told at a time; who comes when there are so many is disconnected without a word. */
const MAX_TOLD = 64;

/** What a peer may send meanwhile is thrown away in pieces of so many bytes. */
const READ_BYTES = 1_024;

/** What a peer is told that finds no room: at once, or when it has said enough to be answered. */
export type Refusal = Uint8Array | (() => Refuser);

/** Takes what one peer sends, and returns what it is told once that is known. What it throws ends the connection without a word. */
export type Refuser = (bytes: Uint8Array) => Uint8Array | undefined;

/** The peers that are being refused. */
export class Refusals {
  readonly #conns = new Set<Wire>();

  /** Whether another one can be told. */
  get hasRoom(): boolean {
    return this.#conns.size < MAX_TOLD;
  }

  /** Tells a peer, gives it a moment to read it, and closes `conn`. */
  async refuse(conn: Wire, refusal: Refusal): Promise<void> {
    this.#conns.add(conn);
    const limit = setTimeout(() => this.#end(conn), LINGER_MS);
    try {
      const buffer = new Uint8Array(READ_BYTES);
      const text = typeof refusal === "function" ? await hear(conn, refusal(), buffer) : refusal;
      if (text === undefined) return;
      await conn.write(text);
      await conn.closeWrite();
      // Closing with unread bytes would reset the connection and take the text away.
      while (await conn.read(buffer) !== null);
    } catch {
      // The peer is gone, has had its time, or has said what nobody understands.
    } finally {
      clearTimeout(limit);
      this.#end(conn);
    }
  }

  /** Ends all at once. */
  close(): void {
    for (const conn of this.#conns) this.#end(conn);
  }

  #end(conn: Wire): void {
    if (this.#conns.delete(conn)) conn.close();
  }
}

/** Listens to a peer until it is known what to tell it; `undefined` when that never is. */
async function hear(
  conn: Wire,
  refuser: Refuser,
  buffer: Uint8Array,
): Promise<Uint8Array | undefined> {
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) return undefined;
    const text = refuser(buffer.subarray(0, count));
    if (text !== undefined) return text;
  }
}
