/**
 * TCP connections in Deno.
 *
 * @module
 */

import { type Carrier, HandshakeError, type Security, type Socket } from "./socket.ts";

/** Bytes that one read takes at most. */
const READ_BYTES = 16 * 1024;

/** `Deno.connect`. */
export const denoCarrier: Carrier = {
  async connect(hostname, port, signal, security) {
    const conn = await Deno.connect({ hostname, port, signal });
    conn.setNoDelay(true);
    return new DenoSocket(security === undefined ? conn : await secured(conn, security, signal));
  },
  reasonOf({ message }) {
    // Deno says it in no other way.
    if (message.includes("lookup address information")) return undefined;
    const reason = message.replace(/ \(os error \d+\)$/, "");
    return reason.charAt(0).toLowerCase() + reason.slice(1);
  },
};

async function secured(
  conn: Deno.TcpConn,
  { serverName, caCerts }: Security,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  let tls: Deno.TlsConn | undefined;
  const close = (): void => (tls ?? conn).close();
  try {
    tls = await Deno.startTls(conn, { hostname: serverName, caCerts: [...caCerts] });
    signal.addEventListener("abort", close, { once: true });
    await tls.handshake();
    return tls;
  } catch (cause) {
    if (!signal.aborted) close();
    throw new HandshakeError((cause as Error).message, { cause });
  } finally {
    signal.removeEventListener("abort", close);
  }
}

class DenoSocket implements Socket {
  readonly #conn: Deno.Conn;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async pump(take: (bytes: Uint8Array) => Promise<void> | void): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await this.#conn.read(buffer);
      if (count === null) return;
      const held = take(buffer.slice(0, count));
      if (held !== undefined) await held;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }
}
