/**
 * TLS on connections that were accepted, for any port. Loaded when there is a certificate.
 *
 * The runtime's own connections of TLS would keep their sockets after they are closed until the other end goes, as long as the
 * handshake is not done: whoever says nothing would take the descriptors, one after the other. Here the socket stays ours, and
 * closing it ends all.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { SecureWire, Wire } from "./wire.ts";

/** What a server shows of itself, both as PEM. */
export interface Certificate {
  /** The certificate, and those that lead to it. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
}

/** A certificate or its key that cannot be used. */
export class CertificateError extends Error {
  /** "CertificateError". */
  override readonly name = "CertificateError";
}

/** Bytes of one read of the socket: more after a full one, fewer after a small one, as a read that waits holds on to them. */
const READ_BYTES = { least: 512, most: 16 * 1024 } as const;
/** Most bytes of one write, so that it shows when the peer takes some of them. */
const WRITE_BYTES = 64 * 1024;

/** Makes connections of TLS out of others. */
export class TlsServer {
  #context: SecureContext;

  /** @throws {CertificateError} when the certificate cannot be used. */
  constructor(certificate: Certificate) {
    this.#context = contextOf(certificate);
  }

  /**
   * Shows another certificate on connections from now on.
   *
   * @throws {CertificateError} when it cannot be used.
   */
  renew(certificate: Certificate): void {
    this.#context = contextOf(certificate);
  }

  /** Takes over a connection on which the other end begins with TLS. */
  secure(wire: Wire): SecureWire {
    return new TlsWire(wire, this.#context);
  }
}

/** The runtime finds out what is wrong with a context when somebody connects. */
function contextOf({ cert, key }: Certificate): SecureContext {
  const leaf = parsed("no certificate in the first", () => new X509Certificate(cert));
  const own = parsed("no private key that can be read in the second", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(own)) {
    throw new CertificateError("the key is that of another certificate");
  }
  return createSecureContext({ cert, key, minVersion: "TLSv1.2" });
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new CertificateError(`there is ${what}`, { cause });
  }
}

/** The server's end of a connection of TLS. */
class TlsWire implements SecureWire {
  readonly remoteAddr: Deno.Addr;
  readonly #wire: Wire;
  readonly #socket: TLSSocket;
  readonly #shaken = Promise.withResolvers<void>();
  /** What came and was not read. */
  #unread: Uint8Array | undefined;
  #ended = false;
  #error: Error | undefined;
  #reader: PromiseWithResolvers<void> | undefined;

  constructor(wire: Wire, secureContext: SecureContext) {
    this.remoteAddr = wire.remoteAddr;
    this.#wire = wire;
    // It need not be waited for.
    this.#shaken.promise.catch(() => {});
    this.#socket = new TLSSocket(duplexOf(wire), { isServer: true, secureContext });
    this.#socket.once("secure", () => this.#shaken.resolve());
    this.#socket.on("data", (bytes: Uint8Array) => {
      this.#socket.pause();
      this.#unread = bytes;
      this.#reader?.resolve();
    });
    this.#socket.once("end", () => this.#end());
    this.#socket.once("close", () => this.#end());
    this.#socket.on("error", (error: Error) => this.#end(error));
    this.#socket.pause();
  }

  handshake(): Promise<void> {
    this.#socket.resume();
    return this.#shaken.promise;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#unread === undefined && !this.#ended) {
      this.#reader = Promise.withResolvers();
      this.#socket.resume();
      await this.#reader.promise;
    }
    const bytes = this.#unread;
    if (bytes === undefined) {
      if (this.#error !== undefined) throw this.#error;
      return null;
    }
    const count = Math.min(bytes.length, buffer.length);
    buffer.set(bytes.subarray(0, count));
    this.#unread = count === bytes.length ? undefined : bytes.subarray(count);
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, WRITE_BYTES);
    return new Promise((resolve, reject) => {
      const { buffer, byteOffset, length } = part;
      this.#socket.write(Buffer.from(buffer, byteOffset, length), (error) => {
        if (error) reject(error);
        else resolve(length);
      });
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  close(): void {
    this.#wire.close();
    this.#end();
    this.#socket.destroy();
  }

  #end(error?: Error): void {
    this.#error ??= error;
    this.#ended = true;
    this.#shaken.reject(error ?? new Error("connection was closed"));
    this.#reader?.resolve();
  }
}

/** A connection as a stream of Node. */
function duplexOf(wire: Wire): Duplex {
  const { least, most } = READ_BYTES;
  let size: number = least;
  return new Duplex({
    read() {
      const buffer = Buffer.alloc(size);
      wire.read(buffer).then((count) => {
        if (count === null) return void this.push(null);
        size = count === size
          ? Math.min(2 * size, most)
          : Math.max(least, count < size / 4 ? size / 2 : size);
        this.push(buffer.subarray(0, count));
      }, (error) => void this.destroy(error));
    },
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(wire, chunk).then(() => done(), done);
    },
    final(done) {
      wire.closeWrite().then(() => done(), done);
    },
  });
}

async function writeAll(wire: Wire, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await wire.write(bytes.subarray(at));
}
