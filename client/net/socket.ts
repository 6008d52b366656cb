/**
 * The seam between the client and the runtime: a TCP connection, and what opens one.
 *
 * @module
 */

/** An open TCP connection. */
export interface Socket {
  /**
   * Hands all that comes to `take`, which keeps the bytes. To be called once, at once. Resolves when the other end has
   * closed; rejects when the connection breaks or is closed here, and with what `take` throws.
   */
  pump(take: (bytes: Uint8Array) => void): Promise<void>;
  /** Writes all of `bytes`, which must not change meanwhile. Rejects when the connection is over. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the connection. Safe to call again. */
  close(): void;
}

/** What opens connections in one kind of runtime. */
export interface Carrier {
  /** Connects, without delay of small writes. Gives up when `signal` is given. Rejects with the runtime's error. */
  connect(host: string, port: number, signal: AbortSignal): Promise<Socket>;
  /** What such an error says, in the words of Go's client: "connection refused"; `undefined` when nobody knows the host. */
  reasonOf(error: Error): string | undefined;
}
