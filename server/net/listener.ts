/**
 * Takes the connections that come to a listening socket, and goes on when that fails.
 *
 * @module
 */

import { pause } from "./deadline.ts";
import { ACCEPT_PAUSE_MS } from "./limits.ts";

/** A listening socket of TCP or of TLS. */
export class Listener<C extends Deno.Conn> {
  readonly #socket: Deno.Listener<C>;
  readonly #closing = new AbortController();
  #accepting: Promise<void> = Promise.resolve();

  /** Takes over `socket`. */
  constructor(socket: Deno.Listener<C>) {
    this.#socket = socket;
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /**
   * Begins to accept.
   *
   * @param take Gets each connection and must not throw.
   * @param failed Gets why there was none, e.g. as no file descriptor is free. A pause follows, each longer than the last.
   */
  start(take: (conn: C) => void, failed: (cause: unknown) => void): void {
    this.#accepting = this.#accept(take, failed);
  }

  /** Stops listening. Resolves when no further connection can come. Safe to call again. */
  close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      this.#socket.close();
    }
    return this.#accepting;
  }

  async #accept(take: (conn: C) => void, failed: (cause: unknown) => void): Promise<void> {
    const { signal } = this.#closing;
    let pauseMs = 0;
    while (!signal.aborted) {
      let conn: C;
      try {
        conn = await this.#socket.accept();
      } catch (cause) {
        if (signal.aborted) return;
        const { first, longest } = ACCEPT_PAUSE_MS;
        pauseMs = pauseMs === 0 ? first : Math.min(2 * pauseMs, longest);
        failed(cause);
        await pause(pauseMs, signal);
        continue;
      }
      pauseMs = 0;
      if (signal.aborted) conn.close();
      else take(conn);
    }
  }
}
