/**
 * Rebuilding a damaged directory without an operator.
 *
 * Proof obligation, beside those of `rebuild.ts`: nothing is moved aside that anybody needs. A server whose directory is damaged
 * serves nothing anyway, so that one more rebuilt takes nobody away; but once emptied it can give nothing back. All that was
 * acknowledged is on the disks of a majority of the voters. So it waits until it sees a majority of those that it knows run, each
 * under the id that this server knows, and thus with the directory that it had: who was rebuilt has another one. It looks for
 * longer than gossip takes to notice that somebody is gone. Where only the state is damaged its own log makes it anew, and nobody
 * is needed.
 *
 * It happens once: while something is kept aside of an earlier time, a disk may be dying, and its operator has not looked.
 *
 * @module
 */

import { shortId } from "../gossip_tag.ts";
import type { GossipServer } from "../servers.ts";
import { ASIDE } from "./aside.ts";
import { planRebuild, type RebuildPlan, RebuildRefusedError } from "./rebuild.ts";

/**
 * Looks whether the directory at `path` can be rebuilt without an operator.
 *
 * Rejects with a {@linkcode RebuildRefusedError} when it cannot, and as `planRebuild` does.
 */
export async function planRepair(path: string): Promise<RebuildPlan> {
  for await (const { name } of Deno.readDir(path)) {
    if (!name.startsWith(`${ASIDE}-`)) continue;
    throw new RebuildRefusedError(
      `'${path}/${name}' is kept aside since an earlier time: look after the disk, and remove it`,
    );
  }
  const plan = await planRebuild(path, { force: false, clusterId: undefined });
  const { kind, found: { identity, members } } = plan;
  if (kind === "all" && (identity?.clusterId === undefined || members === undefined)) {
    throw new RebuildRefusedError("Who the members are cannot be read");
  }
  return plan;
}

/** Voters that a server knows, and those of the others that run with what they had. */
export interface Majority {
  readonly voters: number;
  readonly running: number;
  /** Whether they are enough. */
  readonly isThere: boolean;
}

/** Whom a plan needs, and who is there; `servers` are those that gossip shows. */
export function majorityOf(
  { kind, found: { identity, members = [] } }: RebuildPlan,
  servers: readonly GossipServer[],
): Majority {
  const voters = members.filter(({ role }) => role === "voter").map(({ id }) => id);
  const cluster = shortId(identity?.clusterId ?? "");
  const running =
    servers.filter((one) =>
      one.status === "alive" && !one.isLeaving && one.cluster === cluster &&
      one.id !== identity?.nodeId && voters.includes(one.id)
    ).length;
  return {
    voters: voters.length,
    running,
    isThere: kind === "state" || running > voters.length / 2,
  };
}
