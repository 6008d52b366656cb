/**
 * One TCP connection as the core sees it.
 *
 * @module
 */

import type { Address, Stream } from "../../cluster/runtime.ts";
import { CLOSED_HERE, joinAddress, reasonOf } from "../net/problems.ts";

/** Size of a read buffer in bytes: starts small, since a pending read pins it, and doubles when filled. */
const READ_BUFFER = { first: 1_024, largest: 65_536 } as const;

/** The stream broke, or was used after it was closed. */
export class StreamError extends Error {
  override readonly name = "StreamError";
}

/** A {@linkcode Stream} over a TCP connection. */
export class TcpStream implements Stream {
  /** The other end. */
  readonly remote: Address;
  readonly #conn: Deno.TcpConn;
  readonly #onClose: () => void;
  #closed = false;
  #bufferSize: number = READ_BUFFER.first;
  #writing: Promise<void> = Promise.resolve();

  /** Takes over `conn`; `onClose` is called once, when the stream is closed from this side. */
  constructor(conn: Deno.TcpConn, remote: Address, onClose: () => void) {
    this.#conn = conn;
    this.remote = remote;
    this.#onClose = onClose;
  }

  /** The next bytes, or `null` at the end. Rejects with {@linkcode StreamError}. */
  async read(): Promise<Uint8Array | null> {
    this.#assertOpen("read");
    const buffer = new Uint8Array(this.#bufferSize);
    try {
      const length = await this.#conn.read(buffer);
      if (length === null) return null;
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
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Closes the connection; pending reads and writes reject. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    this.#onClose();
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
    return new StreamError(`${action} tcp ${joinAddress(this.remote)}: ${reason}`, { cause });
  }
}
