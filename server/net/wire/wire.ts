/**
 * What carries the bytes of a connection.
 *
 * @module
 */

/** A connection as far as ports need it: of TCP, or what is put around it. */
export type Wire = Pick<Deno.Conn, "remoteAddr" | "read" | "write" | "closeWrite" | "close">;

/** A connection that is encrypted once its handshake is done. */
export interface SecureWire extends Wire {
  /** Resolves when the handshake is done. Rejects when it fails, or the connection is closed. */
  handshake(): Promise<void>;
}
