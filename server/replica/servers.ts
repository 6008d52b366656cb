/**
 * The servers that gossip shows.
 *
 * @module
 */

import { addrToHost } from "../../cluster/memberlist/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import type { Member } from "../../cluster/serf/mod.ts";
import { decodeGatewayTag, decodeTag, type ServerTag, shortId, STATE_TAG } from "./gossip_tag.ts";

/** One server. */
export interface GossipServer extends ServerTag {
  /** Name of its agent. */
  readonly name: string;
  /** Its status in gossip. */
  readonly status: Member["status"];
  /** Where it listens for other servers. */
  readonly address: Address;
}

/** The names of those that belong to another cluster than this one. */
export function namesOfOthers(servers: readonly GossipServer[], clusterId: string): string[] {
  return servers
    .filter(({ cluster }) => cluster !== undefined && cluster !== shortId(clusterId))
    .map(({ name }) => name);
}

/**
 * The servers among members, in order of their ids. Where two members tell the same id, the one that is alive counts: a server
 * that was given another name is not two.
 */
export function serversOf(members: readonly Member[]): GossipServer[] {
  const servers = new Map<string, GossipServer>();
  for (const { name, status, addr, tags } of members) {
    const tag = decodeTag(tags[STATE_TAG]);
    if (tag === undefined) continue;
    if (status !== "alive" && servers.has(tag.id)) continue;
    servers.set(tag.id, {
      ...tag,
      name,
      status,
      address: { host: addrToHost(addr), port: tag.port },
    });
  }
  return [...servers.values()].sort((a, b) => a.id < b.id ? -1 : 1);
}

/** Where an agent finds servers, and those agents that keep no state and ask servers for their clients, while they live: by their ids. */
export function addressesOf(
  members: readonly Member[],
  servers: readonly GossipServer[],
  own: string,
): Map<string, Address> {
  const addresses = new Map<string, Address>();
  for (const { status, addr, tags } of members) {
    const tag = status === "alive" ? decodeGatewayTag(tags[STATE_TAG]) : undefined;
    if (tag !== undefined) addresses.set(tag.id, { host: addrToHost(addr), port: tag.port });
  }
  for (const { id, address } of servers) addresses.set(id, address);
  addresses.delete(own);
  return addresses;
}
