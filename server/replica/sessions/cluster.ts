/**
 * The servers, as clients with sessions are told of them.
 *
 * @module
 */

import { addrToHost } from "../../../cluster/memberlist/mod.ts";
import type { Configuration } from "../../../cluster/raft/mod.ts";
import type { Member } from "../../../cluster/serf/mod.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import {
  type ClusterInfo,
  type ClusterMember,
  MEMBER_ROLE,
} from "../../../protocol/sessions/mod.ts";
import type { GossipServer } from "../servers.ts";

/** A server, as far as others are told of it. */
interface Server {
  readonly id: string;
  readonly replica: {
    /** Members of the log. */
    readonly configuration: Configuration;
    /** Node id of the leader, if one is known. */
    readonly leaderId: string | undefined;
    readonly status: { readonly term: number };
  };
}

/** Where one server serves sessions, and what it tells of that and of the others. */
export class Whereabouts {
  /** Where it serves sessions. */
  address: Deno.NetAddr | undefined;
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
  get port(): number | undefined {
    const own = this.#members().find(({ name }) => name === this.#name);
    const { address } = this;
    if (own === undefined || address === undefined) return undefined;
    const isThere = isEverywhere(address) || address.hostname === addrToHost(own.addr);
    return isThere ? address.port : undefined;
  }

  /**
   * The members of the log by the names of their agents, as operators know them; a member that gossip does not show is told by
   * its id.
   */
  info({ id: ownId, replica }: Server, servers: readonly GossipServer[]): ClusterInfo {
    const { configuration, leaderId, status } = replica;
    const found = new Map(servers.map((server) => [server.id, server]));
    const nameOf = (id: string): string => id === ownId ? this.#name : found.get(id)?.name ?? id;
    const members = configuration.map(({ id, role }): ClusterMember => ({
      id: nameOf(id),
      address: announced(found.get(id)) || (id === ownId ? this.#text : ""),
      role: role === "voter" ? MEMBER_ROLE.voter : MEMBER_ROLE.learner,
    }));
    const leader = leaderId === undefined ? "" : nameOf(leaderId);
    return { kind: "clusterInfo", members, leader, term: status.term };
  }

  /** For clients on this machine. */
  get #text(): string {
    const { address } = this;
    return address === undefined || isEverywhere(address)
      ? ""
      : joinHostPort(address.hostname, address.port);
  }
}

function announced(server: GossipServer | undefined): string {
  return server?.sessionPort === undefined
    ? ""
    : joinHostPort(server.address.host, server.sessionPort);
}

function isEverywhere({ hostname }: Deno.NetAddr): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
