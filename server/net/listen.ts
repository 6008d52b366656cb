/**
 * Listening on TCP, for every port of an agent.
 *
 * @module
 */

import { ipBytes } from "../../protocol/ip.ts";
import { isIPv6, plainHost } from "./problems.ts";

/** A family of IP addresses. */
export type Family = "IPv4" | "IPv6";

/** A listening socket. */
export interface Listening {
  /** The socket; its address may be `::` where `0.0.0.0` was asked for. */
  readonly socket: Deno.TcpListener;
  /** Whose connections come. */
  readonly families: readonly Family[];
}

/** Whether an address stands for every one of this machine. */
export function isWildcard(host: string): boolean {
  return ipBytes(host)?.every((byte) => byte === 0) ?? false;
}

/**
 * Listens on an address or name. Both `0.0.0.0` and `::` take the connections of either family, as in Go; where the system
 * keeps the families apart (`net.ipv6.bindv6only`) or has no IPv6, only those of the one that is named.
 *
 * @throws {Error} of the operating system.
 */
export function listen(host: string, port: number): Listening {
  const isAny = isWildcard(host);
  if (isAny && !isIPv6(host)) return listenOnBoth(port) ?? listenOnOne(host, port);
  const one = listenOnOne(host, port);
  if (!isAny || isApart(one.socket.addr.port)) return one;
  return { socket: one.socket, families: ["IPv4", "IPv6"] };
}

function listenOnOne(host: string, port: number): Listening {
  const socket = Deno.listen({ hostname: host, port });
  const family = isIPv6(plainHost(socket.addr.hostname)) ? "IPv6" : "IPv4";
  return { socket, families: [family] };
}

/** `undefined` where no socket can do it; why, is said by a try with IPv4 alone. */
function listenOnBoth(port: number): Listening | undefined {
  let socket: Deno.TcpListener;
  try {
    socket = Deno.listen({ hostname: "::", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return undefined;
  }
  if (!isApart(socket.addr.port)) return { socket, families: ["IPv4", "IPv6"] };
  socket.close();
  return undefined;
}

/** Whether a port of all IPv6 addresses that is listened on is still free for IPv4. */
function isApart(port: number): boolean {
  try {
    Deno.listen({ hostname: "0.0.0.0", port }).close();
    return true;
  } catch {
    // The socket for IPv6 has it.
    return false;
  }
}
