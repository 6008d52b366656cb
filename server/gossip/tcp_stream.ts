/**
 * One TCP connection as the core sees it, and the texts that the Go agent has for network errors.
 *
 * @module
 */

import type { Address, Stream } from "../../cluster/runtime.ts";
import { joinHostPort } from "../../protocol/host_port.ts";

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
    // Whoever wrote it gets the error.
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
    const reason = this.#closed ? "use of closed network connection" : reasonOf(action, cause);
    return new StreamError(`${action} tcp ${joinAddress(this.remote)}: ${reason}`, { cause });
  }
}

/** `host:port`, with brackets around IPv6. */
export function joinAddress({ host, port }: Address): string {
  return joinHostPort(host, port);
}

/** `host` in the form of {@linkcode Address}: an IPv4-mapped IPv6 address becomes dotted IPv4. */
export function plainHost(host: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return mapped?.[1] ?? host;
}

/** What Go says for the error codes of the system. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAFNOSUPPORT: "address family not supported by protocol",
  ECONNABORTED: "software caused connection abort",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  ENETUNREACH: "network is unreachable",
  EPIPE: "broken pipe",
  ETIMEDOUT: "connection timed out",
};

/** Why `call` (`bind`, `connect`, ...) failed, as Go words it: `bind: address already in use`. */
export function reasonOf(call: string, cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const known = typeof code === "string" ? REASONS[code] : undefined;
  if (known !== undefined) return `${call}: ${known}`;
  return cause instanceof Error ? cause.message : String(cause);
}
