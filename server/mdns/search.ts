/**
 * Asks by multicast DNS who belongs to a cluster (docs/spec/agent.md 6.10).
 *
 * @module
 */

import type { Socket } from "node:dgram";
import type { Address } from "../../cluster/runtime.ts";
import { guarded, type UnexpectedLog } from "../logging/background.ts";
import { pause } from "../net/deadline.ts";
import { takeDatagram } from "../net/wire/datagram.ts";
import { decodeMessage, type DnsAnswer, encodeQuery } from "./packets.ts";
import { serviceName } from "./service.ts";
import { groupAddress, type IpFamily, MDNS_PORT, openQuerySocket } from "./sockets.ts";

/** How long answers are waited for, in milliseconds (docs/spec/agent.md 6.10). */
const LISTEN_MS = 1_000;

/** What to look for, and where. */
export interface SearchOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Network interface to ask on; "" for the system's choice. */
  readonly interface: string;
  /** IP versions to ask over. */
  readonly families: readonly IpFamily[];
  /** Gets errors that nobody expected. */
  readonly log: UnexpectedLog;
  /** Ends the search early. */
  readonly signal: AbortSignal;
}

/**
 * Asks once and calls `onFound` for each agent that answers within a second, perhaps more than once.
 *
 * Rejects with the first reason when the question could be sent over no IP version.
 */
export async function search(
  options: SearchOptions,
  onFound: (address: Address) => void,
): Promise<void> {
  const { cluster, families, log, signal } = options;
  const query = encodeQuery(serviceName(cluster), "PTR");
  const asked = await Promise.allSettled(
    families.map((family) => ask(family, options.interface, query)),
  );
  const sockets = asked.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  if (sockets.length === 0) {
    const [first] = asked.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
    throw first ?? new Error("Both IP versions are disabled");
  }
  using opened = new DisposableStack();
  const receive = (bytes: Uint8Array): void => {
    for (const address of addressesIn(takeDatagram(bytes), cluster)) onFound(address);
  };
  for (const socket of sockets) {
    opened.defer(() => socket.close());
    socket.on("message", guarded(receive, log));
    socket.on("error", () => {}); // An answer that could not be received is lost, as on the way.
  }
  await pause(LISTEN_MS, signal);
}

/** Where the agents gossip that a packet names completely: by PTR, SRV and an address. */
export function addressesIn(bytes: Uint8Array, cluster: string): Address[] {
  const message = decodeMessage(bytes);
  if (message === undefined || !message.isResponse) return [];
  const { answers } = message;
  const service = serviceName(cluster);
  const found: Address[] = [];
  for (const { data: instance } of ofType(answers, "PTR", service)) {
    if (typeof instance !== "string" || !instance.endsWith(`.${service}`)) continue;
    for (const { data: location } of ofType(answers, "SRV", instance)) {
      const { target, port } = location as { target: string; port: number };
      const [address] = [...ofType(answers, "A", target), ...ofType(answers, "AAAA", target)];
      if (address !== undefined && port > 0) found.push({ host: String(address.data), port });
    }
  }
  return found;
}

function ofType(answers: readonly DnsAnswer[], type: string, name: string): DnsAnswer[] {
  return answers.filter((answer) => answer.type === type && answer.name === name);
}

async function ask(family: IpFamily, interfaceName: string, query: Uint8Array): Promise<Socket> {
  const socket = await openQuerySocket(family, interfaceName);
  const group = groupAddress(family, interfaceName);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.send(query, MDNS_PORT, group, (error) => {
        socket.off("error", reject);
        if (error) reject(error);
        else resolve();
      });
    });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
