/**
 * Following, after having led or campaigned, or in a new term.
 *
 * @module
 */

import { setTerm } from "./gate.ts";
import { electionDeadline, type Raft } from "./state/raft.ts";

/**
 * Follows `leader`, if one is known, in `term`, which is the current one or a later one.
 *
 * What waits for a commit or a round at this server is not answered by it any more: its outcome is unknown here.
 */
export function stepDown(raft: Raft, term: number, leader: string | undefined): void {
  const { role } = raft;
  if (term > raft.term) setTerm(raft, term, undefined);
  if (role.name === "leader") {
    for (const { id } of role.reads) raft.out.lostReads.push(id);
    // Others heard it until now; it shall not refuse them its vote for having been the leader itself.
    raft.heardLeaderAt = -Infinity;
    raft.ledUntil = role.confirmedAt;
  }
  raft.role = {
    name: "follower",
    leader,
    deadline: electionDeadline(raft),
    receiving: role.name === "follower" ? role.receiving : undefined,
  };
}
