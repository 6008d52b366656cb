/**
 * TCP connections in Node and Bun. Loaded in no other runtime.
 *
 * @module
 */

import type { Socket as NodeTcpSocket } from "node:net";
import { type Carrier, HandshakeError, type Security, type Socket } from "./socket.ts";

/** What the system calls the failures of a connect. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
};

/** `net.connect`. */
export const nodeCarrier: Carrier = {
  async connect(host, port, signal, security) {
    // Here, so that a program that is bundled into one file does not load it in Deno.
    const { connect, isIP } = await import("node:net");
    const socket = await new Promise<NodeTcpSocket>((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true, signal });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
    });
    return new NodeSocket(security === undefined ? socket : await secured(socket, security, isIP));
  },
  reasonOf(error) {
    const { code = "", syscall } = error as Error & { code?: string; syscall?: string };
    return syscall === "getaddrinfo" ? undefined : REASONS[code] ?? error.message;
  },
};

async function secured(
  socket: NodeTcpSocket,
  { serverName, caCerts }: Security,
  isIP: (text: string) => number,
): Promise<NodeTcpSocket> {
  const { connect, rootCertificates } = await import("node:tls");
  return await new Promise((resolve, reject) => {
    const tls = connect({
      socket,
      ca: [...rootCertificates, ...caCerts],
      // What the certificate has to be for; an address is no name that the other end could be told.
      host: serverName,
      servername: isIP(serverName) === 0 ? serverName : "",
    });
    tls.once("error", (cause) => {
      socket.destroy();
      reject(new HandshakeError(cause.message, { cause }));
    });
    tls.once("secureConnect", () => {
      tls.removeAllListeners("error");
      resolve(tls);
    });
  });
}

class NodeSocket implements Socket {
  readonly #socket: NodeTcpSocket;

  constructor(socket: NodeTcpSocket) {
    this.#socket = socket;
    // What breaks a connection is told by `pump`, and nothing is thrown into the program before somebody pumps.
    socket.on("error", () => {});
  }

  pump(take: (bytes: Uint8Array) => Promise<void> | void): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      if (socket.destroyed) return reject(new Error("Socket was closed"));
      socket.on("data", ({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>) => {
        try {
          // No `Buffer`, whose `slice` makes no copy.
          const held = take(new Uint8Array(buffer, byteOffset, length));
          if (held === undefined) return;
          socket.pause();
          held.then(() => socket.resume(), reject);
        } catch (error) {
          reject(error);
          socket.destroy();
        }
      });
      socket.on("error", reject);
      socket.on("end", () => resolve());
      socket.on("close", () => reject(new Error("Socket was closed")));
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
