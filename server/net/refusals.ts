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

/** The peers that are being refused. */
export class Refusals {
  readonly #conns = new Set<Wire>();

  /** Whether another one can be told. */
  get hasRoom(): boolean {
    return this.#conns.size < MAX_TOLD;
  }

  /** Sends `text` to a peer, gives it a moment to read it, and closes `conn`. */
  async refuse(conn: Wire, text: Uint8Array): Promise<void> {
    this.#conns.add(conn);
    const limit = setTimeout(() => this.#end(conn), LINGER_MS);
    try {
      await conn.write(text);
      await conn.closeWrite();
      // Closing with unread bytes would reset the connection and take the text away.
      const buffer = new Uint8Array(READ_BYTES);
      while (await conn.read(buffer) !== null);
    } catch {
      // The peer is gone, or has had its time.
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
