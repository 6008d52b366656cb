/**
 * The state of a server, for people and programs that look after it.
 *
 * @module
 */

import type { MemberRole } from "../../cluster/raft/mod.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { failureTolerance } from "./members/autopilot.ts";
import type { ReplicaHost } from "./replica_host.ts";
import { type GossipServer, namesOfOthers } from "./servers.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** A member that was heard within this time, in milliseconds, and lacks at most so many entries, is healthy. */
const HEALTHY = { contactMs: 1_000, gap: 1_000 } as const;

/** One member. What only the leader knows is `null` elsewhere. */
export interface PeerState {
  /** Name of its agent, "" while gossip does not show it. */
  readonly name: string;
  readonly id: string;
  /** Where it listens for other servers; `null` while gossip does not show it. */
  readonly address: string | null;
  readonly role: MemberRole;
  readonly match_index: number | null;
  readonly last_contact_ms: number | null;
  readonly healthy: boolean | null;
}

/** A server as it sees itself and the others. Times are milliseconds. */
export interface StateStatus {
  /** Name of its agent. */
  readonly node: string;
  readonly id: string;
  /** `null` while it belongs to none. */
  readonly cluster_id: string | null;
  readonly role: "leader" | "follower" | "candidate" | "learner";
  readonly term: number;
  /** Name of the leader's agent, or its id; `null` while none is known. */
  readonly leader: string | null;
  readonly last_index: number;
  readonly commit_index: number;
  readonly applied_index: number;
  readonly snapshot_index: number;
  /** How many more members may fail; `null` where it is not known: only the leader knows. */
  readonly failure_tolerance: number | null;
  /** Whether the disk has no room. */
  readonly storage_full: boolean;
  readonly loop_lag_ms: number;
  readonly peers: readonly PeerState[];
  /** Where it serves clients with sessions; `null`: nowhere. */
  readonly session_addr: string | null;
  /** Where it serves clients of topics; `null`: nowhere. */
  readonly topics_addr: string | null;
  /** Agents of servers of another cluster, which are left alone. */
  readonly other_clusters: readonly string[];
}

/** What a server knows of itself. */
export interface Self extends Pick<ReplicaHost, "id" | "clusterId"> {
  readonly replica: Pick<
    ReplicaHost["replica"],
    "status" | "loopLagMs" | "isFull" | "leader" | "leaderId"
  >;
}

/** The status of a server; `servers` are those that gossip shows, `name` is the agent's own. */
export function stateStatus(
  { id, clusterId, replica }: Self,
  servers: readonly GossipServer[],
  name: string,
  addresses: Whereabouts["addresses"] = {},
): StateStatus {
  const { status, loopLagMs, isFull } = replica;
  const isLeader = status.role === "leader";
  const peers = status.members.map((member): PeerState => {
    const server = servers.find((one) => one.id === member.id);
    const { matchIndex = null, lastContactMs = null } = member;
    return {
      name: server?.name ?? (member.id === id ? name : ""),
      id: member.id,
      address: server === undefined ? null : joinHostPort(server.address.host, server.address.port),
      role: member.role,
      match_index: isLeader ? matchIndex : null,
      last_contact_ms: isLeader && lastContactMs !== null ? Math.round(lastContactMs) : null,
      healthy: !isLeader ? null : lastContactMs !== null && lastContactMs < HEALTHY.contactMs &&
        matchIndex !== null && status.lastIndex - matchIndex <= HEALTHY.gap,
    };
  });
  return {
    node: name,
    id,
    cluster_id: clusterId ?? null,
    role: status.role,
    term: status.term,
    leader: replica.leader ?? replica.leaderId ?? null,
    last_index: status.lastIndex,
    commit_index: status.commitIndex,
    applied_index: status.appliedIndex,
    snapshot_index: status.snapshotIndex,
    failure_tolerance: isLeader ? failureTolerance(status) : null,
    storage_full: isFull,
    loop_lag_ms: Math.round(loopLagMs * 10) / 10,
    peers,
    session_addr: textOf(addresses.sessions),
    topics_addr: textOf(addresses.topics),
    other_clusters: clusterId === undefined ? [] : namesOfOthers(servers, clusterId),
  };
}

function textOf(address: Deno.NetAddr | undefined): string | null {
  return address === undefined ? null : joinHostPort(address.hostname, address.port);
}
