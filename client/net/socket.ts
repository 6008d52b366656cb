/**
 * The seam between the client and the runtime: a TCP connection, and what opens one.
 *
 * @module
 */

/** An open TCP connection. */
export interface Socket {
  /**
   * Hands all that comes to `take`, which keeps the bytes; while what that gives is pending, nothing more is read. To be called
   * once, at once. Resolves when the other end has closed; rejects when the connection breaks or is closed here, and with what
   * `take` throws.
   */
  pump(take: (bytes: Uint8Array) => Promise<void> | void): Promise<void>;
  /** Writes all of `bytes`, which must not change meanwhile. Rejects when the connection is over. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the connection. Safe to call again. */
  close(): void;
}

/** How a connection is encrypted. */
export interface Security {
  /** The name that the certificate of the other end has to be for. */
  readonly serverName: string;
  /** Certificates in PEM that are trusted besides those of the system. */
  readonly caCerts: readonly string[];
}

/** The handshake of TLS failed, in the words of the runtime. */
export class HandshakeError extends Error {
  /** Always "HandshakeError". */
  override readonly name = "HandshakeError";
}

/** What opens connections in one kind of runtime. */
export interface Carrier {
  /**
   * Connects, without delay of small writes, and speaks TLS when there is `security`. Gives up when `signal` is given. Rejects with
   * the runtime's error, or with a {@linkcode HandshakeError}.
   */
  connect(
    host: string,
    port: number,
    signal: AbortSignal,
    security: Security | undefined,
  ): Promise<Socket>;
  /** What such an error says, in the words of Go's client: "connection refused"; `undefined` when nobody knows the host. */
  reasonOf(error: Error): string | undefined;
}
