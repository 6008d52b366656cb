/**
 * The servers, as clients with sessions are told of them.
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import { type ClusterInfo, MEMBER_ROLE } from "../../../protocol/sessions/mod.ts";
import type { Place } from "../whereabouts.ts";

/** What they are told; `leader` is the name of who leads, if that is known. */
export function clusterInfo(
  places: readonly Place[],
  leader: string | undefined,
  term: number,
): ClusterInfo {
  const members = places.map(({ name, address, role }) => ({
    id: name,
    address: address === undefined ? "" : joinHostPort(address.host, address.port),
    role: role === "voter" ? MEMBER_ROLE.voter : MEMBER_ROLE.learner,
  }));
  return { kind: "clusterInfo", members, leader: leader ?? "", term };
}
