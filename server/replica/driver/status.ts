/**
 * What a server tells about itself and the others.
 *
 * @module
 */

import { leaderOf, type MemberRole, type Raft } from "../../../cluster/raft/mod.ts";
import type { Clock } from "../../../cluster/runtime.ts";

/** One member as a server sees it. */
export interface MemberStatus {
  readonly id: string;
  readonly role: MemberRole;
  /** Up to where its log is known to be the leader's; only the leader knows. */
  readonly matchIndex: number | undefined;
  /** Milliseconds since it was heard, 0 for the server itself; only the leader knows, and only of those that it has heard. */
  readonly lastContactMs: number | undefined;
}

/** One server as it sees itself. */
export interface RaftStatus {
  readonly id: string;
  readonly role: "leader" | "follower" | "candidate" | "learner";
  readonly term: number;
  readonly leader: string | undefined;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  readonly configurationIndex: number;
  readonly members: readonly MemberStatus[];
}

/** The status of a server whose machine has applied so much. */
export function raftStatus(raft: Readonly<Raft>, appliedIndex: number): RaftStatus {
  const { id, role, term, members, log, commit, snapshot, now } = raft;
  const own = members.configuration.find((member) => member.id === id)?.role;
  const peers = role.name === "leader" ? role.peers : undefined;
  return {
    id,
    role: role.name === "leader"
      ? "leader"
      : role.name !== "follower"
      ? "candidate"
      : own === "voter"
      ? "follower"
      : "learner",
    term,
    leader: leaderOf(raft),
    lastIndex: log.lastIndex,
    commitIndex: commit,
    appliedIndex,
    snapshotIndex: snapshot?.index ?? 0,
    configurationIndex: members.index,
    members: members.configuration.map((member) => {
      const peer = peers?.get(member.id);
      const isSelf = member.id === id;
      return {
        ...member,
        matchIndex: isSelf ? log.durableIndex : peer?.match,
        lastContactMs: isSelf
          ? 0
          : peer?.heardAt === undefined
          ? undefined
          : Math.max(0, now - peer.heardAt),
      };
    }),
  };
}

/** What the age is told from. */
export interface StateAgeParts {
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly raft: Raft;
  /** When this server began, by the clock. */
  readonly startedAt: number;
  /** When the last entry that was applied was proposed, by the wall clock of its leader. */
  readonly entryTime: number;
}

/**
 * Milliseconds since when a leader was heard, or a majority has followed this server, as far as it knows: one that leads may be
 * none any more. Where neither was in this life, since when its last entry was proposed, by the clocks of both machines.
 */
export function stateAgeMs(parts: StateAgeParts): number {
  const { clock, wallClock, startedAt, entryTime } = parts;
  const { id, role, members: { voters }, heardLeaderAt, ledUntil } = parts.raft;
  if (role.name === "leader") {
    const isAlone = voters.length === 1 && voters[0] === id;
    return isAlone ? 0 : Math.max(0, clock.now() - role.confirmedAt);
  }
  const since = Math.max(heardLeaderAt, ledUntil);
  const ageMs = clock.now() - since;
  return since > startedAt ? ageMs : Math.max(ageMs, wallClock() - entryTime);
}
