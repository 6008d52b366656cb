/**
 * UDP sockets for multicast DNS, on the system's interface or on a chosen one.
 *
 * @module
 */

import { createSocket, type Socket } from "node:dgram";

/** Port of multicast DNS (RFC 6762). */
export const MDNS_PORT = 5_353;

/** An IP version. */
export type IpFamily = "IPv4" | "IPv6";

/** The group of each IP version (RFC 6762). */
export const MDNS_GROUPS: Readonly<Record<IpFamily, string>> = {
  IPv4: "224.0.0.251",
  IPv6: "ff02::fb",
};

/** Hops of a packet (RFC 6762 section 11). */
const HOPS = 255;

/**
 * Hears what is sent to the group. Rejects when the interface cannot.
 *
 * @param interfaceName Name of a network interface; "" for the system's choice.
 */
export async function openGroupSocket(family: IpFamily, interfaceName: string): Promise<Socket> {
  const group = MDNS_GROUPS[family];
  // Bound to the group itself, the socket takes no answers away from other programs on this port.
  const host = Deno.build.os === "windows" ? undefined : scoped(group, family, interfaceName);
  return await open(family, interfaceName, { port: MDNS_PORT, host }, (socket, chosen) => {
    if (chosen === undefined) socket.addMembership(group);
    else socket.addMembership(group, chosen);
  });
}

/** Asks, from a port of its own. Rejects when there is no such interface. */
export async function openQuerySocket(family: IpFamily, interfaceName: string): Promise<Socket> {
  return await open(family, interfaceName, { port: 0, host: undefined }, () => {});
}

/** The group's address for sending. */
export function groupAddress(family: IpFamily, interfaceName: string): string {
  return scoped(MDNS_GROUPS[family], family, interfaceName);
}

interface Place {
  readonly port: number;
  readonly host: string | undefined;
}

async function open(
  family: IpFamily,
  interfaceName: string,
  { port, host }: Place,
  prepare: (socket: Socket, chosen: string | undefined) => void,
): Promise<Socket> {
  const chosen = interfaceName === "" ? undefined : interfaceAddress(family, interfaceName);
  const type = family === "IPv4" ? "udp4" : "udp6";
  const socket = createSocket({ type, reuseAddr: port !== 0 });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      const bound = (): void => {
        socket.off("error", reject);
        resolve();
      };
      if (host === undefined) socket.bind(port, bound);
      else socket.bind(port, host, bound);
    });
    prepare(socket, chosen);
    if (chosen !== undefined) socket.setMulticastInterface(chosen);
    socket.setMulticastTTL(HOPS);
    socket.setMulticastLoopback(true);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** How `node:dgram` names an interface: by one of its IPv4 addresses, or by its name as an IPv6 scope. */
function interfaceAddress(family: IpFamily, name: string): string {
  const own = Deno.networkInterfaces().find((found) =>
    found.name === name && found.family === family
  );
  if (own === undefined) throw new Error(`Interface '${name}' has no ${family} address`);
  return family === "IPv4" ? own.address : `::%${name}`;
}

function scoped(group: string, family: IpFamily, interfaceName: string): string {
  return family === "IPv6" && interfaceName !== "" ? `${group}%${interfaceName}` : group;
}
