/**
 * Members of the log, what a server says of itself, and servers as gossip shows them, made up.
 *
 * @module
 */

import type { MemberStatus, RaftStatus } from "../../../server/replica/driver/status.ts";
import type { GossipServer } from "../../../server/replica/servers.ts";

/** The cluster of all of them: the beginning of its id, as gossip has it. */
export const CLUSTER = "01234567";

/** A voter that has entry 1 and was just heard. */
export function member(id: string, changes: Partial<MemberStatus> = {}): MemberStatus {
  return { id, role: "voter", matchIndex: 1, lastContactMs: 0, ...changes };
}

/** What the leader `a` says of these members. */
export function status(
  members: readonly MemberStatus[],
  changes: Partial<RaftStatus> = {},
): RaftStatus {
  return {
    id: "a",
    role: "leader",
    term: 1,
    leader: "a",
    lastIndex: 1,
    commitIndex: 1,
    appliedIndex: 1,
    snapshotIndex: 0,
    configurationIndex: 1,
    members,
    ...changes,
  };
}

/** A server that is alive. */
export function server(id: string, changes: Partial<GossipServer> = {}): GossipServer {
  const address = { host: "127.0.0.1", port: 1 };
  return {
    id,
    name: id,
    port: 1,
    cluster: CLUSTER,
    expect: 0,
    sessionPort: undefined,
    topicsPort: undefined,
    isLeaving: false,
    status: "alive",
    address,
    ...changes,
  };
}
