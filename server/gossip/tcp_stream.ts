/**
 * One TCP connection as the core sees it.
 *
 * @module
 */

import type { Address, Stream } from "../../cluster/runtime.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { CLOSED_HERE, reasonOf } from "../net/problems.ts";

/** Size of a read buffer in bytes: starts small, since a pending read pins it, and doubles when filled. */
const READ_BUFFER = { first: 1_024, largest: 65_536 } as const;

/** What a message begins with at most: the type and length of an encrypted one (docs/spec/memberlist.md 6.1). */
const HEADER_BYTES = 5;

/** Who hears of a stream. */
export interface StreamHooks {
  /** Called once, when the stream is closed from this side. */
  readonly onClose: (stream: TcpStream) => void;
  /** Called once, when as many bytes have come as a message begins with. */
  readonly onHeader?: (stream: TcpStream) => void;
}

/** The stream broke, or was used after it was closed. */
export class StreamError extends Error {
  override readonly name = "StreamError";
}

/** A {@linkcode Stream} over a TCP connection. */
export class TcpStream implements Stream {
  /** The other end. */
  readonly remote: Address;
  readonly #conn: Deno.TcpConn;
  readonly #hooks: StreamHooks;
  #closed = false;
  #bufferSize: number = READ_BUFFER.first;
  #received = 0;
  #writing: Promise<void> = Promise.resolve();

  /** Takes over `conn`. */
  constructor(conn: Deno.TcpConn, remote: Address, hooks: StreamHooks) {
    this.#conn = conn;
    this.remote = remote;
    this.#hooks = hooks;
  }

  /** The other end's address. */
  get source(): string {
    return this.remote.host;
  }

  /** The next bytes, or `null` at the end. Rejects with {@linkcode StreamError}. */
  async read(): Promise<Uint8Array | null> {
    this.#assertOpen("read");
    const buffer = new Uint8Array(this.#bufferSize);
    try {
      const length = await this.#conn.read(buffer);
      if (length === null) return null;
      if (this.#received < HEADER_BYTES && (this.#received += length) >= HEADER_BYTES) {
        this.#hooks.onHeader?.(this);
      }
      if (length === buffer.length) {
        this.#bufferSize = Math.min(2 * this.#bufferSize, READ_BUFFER.largest);
      }
      return buffer.subarray(0, length);
    } catch (cause) {
      throw this.#failure("read", cause);
    }
  }

  /** Sends all of `bytes` after what earlier calls gave. Rejects with {@linkcode StreamError}. */
  write(bytes: Uint8Array): Promise<void> {
    const written = this.#writing.then(() => this.#writeAll(bytes));
    // Whoever wrote it gets the error.
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Closes the connection; pending reads and writes reject. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    this.#hooks.onClose(this);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    this.#assertOpen("write");
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#conn.write(sent === 0 ? bytes : bytes.subarray(sent));
      }
    } catch (cause) {
      throw this.#failure("write", cause);
    }
  }

  #assertOpen(action: string): void {
    if (this.#closed) throw this.#failure(action, undefined);
  }

  #failure(action: string, cause: unknown): StreamError {
    const reason = this.#closed ? CLOSED_HERE : reasonOf(action, cause);
    const { host, port } = this.remote;
    return new StreamError(`${action} tcp ${joinHostPort(host, port)}: ${reason}`, { cause });
  }
}
