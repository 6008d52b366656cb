/**
 * Where servers serve clients: what one tells the others of itself, and what it knows of them.
 *
 * @module
 */

import { addrToHost } from "../../cluster/memberlist/mod.ts";
import type { Configuration, MemberRole } from "../../cluster/raft/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import type { Member } from "../../cluster/serf/mod.ts";
import type { GossipServer } from "./servers.ts";

/** What clients are served with at a port that gossip tells of. */
export type ClientService = "sessions" | "topics";

/** A server, as far as others are told of it. */
export interface Server {
  readonly id: string;
  readonly replica: {
    /** Members of the log. */
    readonly configuration: Configuration;
    /** Node id of the leader, if one is known. */
    readonly leaderId: string | undefined;
  };
}

/** A member of the log as clients are told of it. */
export interface Place {
  /** The name of its agent, as operators know it; its id when gossip does not show it. */
  readonly name: string;
  /** Where it serves clients; `undefined`: nowhere, or that is not known. */
  readonly address: Address | undefined;
  readonly role: MemberRole;
}

/** Where one server serves clients, and what it tells of that and of the others. */
export class Whereabouts {
  /** Where it serves them. */
  readonly addresses: Partial<Record<ClientService, Deno.NetAddr>> = {};
  readonly #name: string;
  readonly #members: () => readonly Member[];

  /** Of the agent of this name among these members. */
  constructor({ name, members }: {
    readonly name: string;
    readonly members: () => readonly Member[];
  }) {
    this.#name = name;
    this.#members = members;
  }

  /** The port that others can be told: at the host that gossip shows, or nowhere. */
  port(service: ClientService): number | undefined {
    const own = this.#members().find(({ name }) => name === this.#name);
    const address = this.addresses[service];
    if (own === undefined || address === undefined) return undefined;
    const isThere = isEverywhere(address) || address.hostname === addrToHost(own.addr);
    return isThere ? address.port : undefined;
  }

  /** The members of the log, and where they serve clients. */
  places(
    service: ClientService,
    { id: ownId, replica }: Server,
    servers: readonly GossipServer[],
  ): Place[] {
    const found = new Map(servers.map((server) => [server.id, server]));
    return replica.configuration.map(({ id, role }) => ({
      name: id === ownId ? this.#name : found.get(id)?.name ?? id,
      address: announced(found.get(id), service) ?? (id === ownId ? this.#own(service) : undefined),
      role,
    }));
  }

  /** For clients on this machine. */
  #own(service: ClientService): Address | undefined {
    const address = this.addresses[service];
    if (address === undefined || isEverywhere(address)) return undefined;
    return { host: address.hostname, port: address.port };
  }
}

function announced(
  server: GossipServer | undefined,
  service: ClientService,
): Address | undefined {
  const port = service === "sessions" ? server?.sessionPort : server?.topicsPort;
  return server === undefined || port === undefined
    ? undefined
    : { host: server.address.host, port };
}

function isEverywhere({ hostname }: Deno.NetAddr): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
