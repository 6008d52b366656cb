/**
 * Taking an address and port for UDP and TCP.
 *
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import { joinHostPort } from "../../protocol/host_port.ts";
import { listen, type Listening } from "../net/listen.ts";
import { isIPv6, reasonOf } from "../net/problems.ts";

/**
 * The address or port cannot be bound. The message has the form of the Go agent.
 *
 * @example
 * ```ts
 * import { BindError, NetTransport } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * const logger = { debug() {}, info() {}, warn() {}, error() {} };
 * await using first = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
 * const { host, port } = first.localAddress;
 * await assert.rejects(NetTransport.open({ host, port, logger }), BindError);
 * ```
 */
export class BindError extends Error {
  /** "BindError". */
  override readonly name = "BindError";
}

/** Listens on TCP. Throws {@linkcode BindError}. */
export function listenTcp(host: string, port: number): Listening {
  try {
    return listen(host, port);
  } catch (cause) {
    throw bindError("TCP", host, port, cause);
  }
}

/**
 * Binds a UDP socket to the address that a TCP socket has. Rejects with {@linkcode BindError}, which calls the address
 * `shown`.
 */
export function bindUdp(
  { hostname: host, port }: Deno.NetAddr,
  shown: string,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const family = isIPv6(host) ? 6 : 4;
    const socket = createSocket({
      type: `udp${family}`,
      // Only addresses come here, and to load the resolver takes 10 ms.
      lookup: (address, _options, found) => found(null, address, family),
    });
    socket.once("error", (cause) => {
      wakeTicks();
      socket.close();
      reject(bindError("UDP", shown, port, cause));
    });
    socket.bind({ address: host, port }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/**
 * To be called before a socket sends or closes. It tells of both by `process.nextTick`, which never runs in Deno until
 * somebody looked at `process`. That takes 7 ms, which an agent that is starting need not spend.
 */
export function wakeTicks(): void {
  Reflect.get(globalThis, "process");
}

function bindError(network: "TCP" | "UDP", host: string, port: number, cause: unknown): BindError {
  const where = `${network.toLowerCase()} ${joinHostPort(host, port)}`;
  return new BindError(
    `failed to start ${network} listener on ${JSON.stringify(host)} port ${port}: ` +
      `listen ${where}: ${reasonOf("bind", cause)}`,
    { cause },
  );
}
