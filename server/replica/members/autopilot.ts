/**
 * What a leader does about members by itself: takes in servers that gossip shows, takes out those that have left.
 *
 * A server that has failed stays a member: it may come back, and the majority counts on it. Only a setting takes such a server
 * out, after a time, and only when the others go on without it.
 *
 * @module
 */

import type { ConfigurationChange } from "../../../cluster/raft/mod.ts";
import type { RaftStatus } from "../driver/status.ts";
import type { GossipServer } from "../servers.ts";

/** A member that was not heard for longer is not counted on, in milliseconds. */
const SILENT_MS = 3_000;

/** What to do next, and why; `undefined` when nothing is. */
export interface Advice {
  readonly change: ConfigurationChange;
  readonly reason: string;
}

/**
 * The next change that a leader is to make.
 *
 * @param cluster beginning of the id of its cluster
 * @param cleanupMs after which time a silent member is taken out; 0: never
 */
export function advise(
  status: RaftStatus,
  servers: readonly GossipServer[],
  cluster: string,
  cleanupMs: number,
): Advice | undefined {
  if (status.role !== "leader") return undefined;
  const members = new Map(status.members.map((member) => [member.id, member]));
  for (const { id, name, status: state, cluster: theirs, isLeaving } of servers) {
    const isOurs = theirs === undefined || theirs === cluster;
    if (state === "alive" && isOurs && !isLeaving && !members.has(id)) {
      return {
        change: { kind: "add", id, role: "staging" },
        reason: `'${name}' is to be a member`,
      };
    }
    if (state === "left" && members.has(id) && canLose(status, id)) {
      return { change: { kind: "remove", id }, reason: `'${name}' has left` };
    }
  }
  if (cleanupMs <= 0) return undefined;
  for (const { id, lastContactMs } of status.members) {
    if (id === status.id || lastContactMs === undefined || lastContactMs < cleanupMs) continue;
    const server = servers.find((one) => one.id === id);
    if (server?.status === "alive" || !canLose(status, id)) continue;
    return {
      change: { kind: "remove", id },
      reason: `'${server?.name ?? id}' was silent for ${Math.round(lastContactMs / 1_000)} s`,
    };
  }
  return undefined;
}

/** Whether those who are heard are a majority of those that remain when one is taken out. */
export function canLose({ members }: RaftStatus, id: string): boolean {
  const rest = members.filter((member) => member.id !== id && member.role === "voter");
  const heard = rest.filter(({ lastContactMs = Infinity }) => lastContactMs < SILENT_MS);
  return rest.length > 0 && heard.length > rest.length / 2;
}

/** How many more members may fail before nothing is committed any more; as the leader sees it. */
export function failureTolerance({ members }: RaftStatus): number {
  const voters = members.filter(({ role }) => role === "voter");
  const heard = voters.filter(({ lastContactMs = Infinity }) => lastContactMs < SILENT_MS);
  return Math.max(0, heard.length - (Math.floor(voters.length / 2) + 1));
}
