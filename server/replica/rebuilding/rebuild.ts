/**
 * Makes a damaged data directory one that its server starts with, and keeps what was in it aside.
 *
 * Proof obligation: what a server has promised counts for ever, or two leaders of one term come about, and what was acknowledged is
 * lost. A majority that elects a leader has a server in common with each majority that has acknowledged an entry only if that one
 * still knows what it has. So a server that has forgotten its vote, or an entry, is not the same server any more: it gets **another
 * id**, which nobody has ever counted, and becomes a voter again the way a new server does, once it has all that is committed. Its
 * old id stays a voter that is silent for ever, until the new one is a member and has the leader take the old one out: first without
 * a vote itself, so that at no time more servers are needed for a majority than before. And its directory says that it was rebuilt,
 * so that it founds no cluster, whatever it is started with.
 *
 * The new id is written down before anything is moved: a process that ends in between leaves either the old server with all it had,
 * or a new one with a log, which is no more than one that lags behind.
 *
 * Where only the state of the machine is damaged nothing that was promised is lost: the own log and snapshot make it anew, and the
 * server stays the same.
 *
 * @module
 */

import type { Configuration } from "../../../cluster/raft/mod.ts";
import type { Disk } from "../../../cluster/runtime.ts";
import { FileDisk } from "../../files/disk.ts";
import { lockDirectory, STATE } from "../directory/directory.ts";
import { DamagedNodeFileError } from "../directory/errors.ts";
import {
  MAX_REPLACED,
  newId,
  NODE_FILE,
  type NodeIdentity,
  readNodeFile,
  writeNodeFile,
} from "../directory/node_file.ts";
import { VoteFile } from "../log/vote_file.ts";
import { ASIDE, type Aside, makeAside } from "./aside.ts";
import { inspect, type Inspection } from "./inspection.ts";

/** What is asked for. */
export interface RebuildOptions {
  /** Also when nothing is damaged; then, or when only the state is, all is had from the others. */
  readonly force: boolean;
  /** The cluster that the server is to belong to. Default: the one it belonged to. */
  readonly clusterId: string | undefined;
}

/** What is going to be done. */
export interface RebuildPlan extends Pick<RebuildOptions, "clusterId"> {
  readonly path: string;
  /** `state`: it is made anew of the own log. `all`: it comes from the other servers. */
  readonly kind: "state" | "all";
  readonly found: Inspection;
}

/** What was done. */
export interface RebuildReport {
  readonly kind: RebuildPlan["kind"];
  /** Where the files are now. */
  readonly aside: string;
  /** Their names. */
  readonly moved: readonly string[];
  /** The id that the server has from now on, and the one that it had; `null` when nobody knows. */
  readonly node_id: string | null;
  readonly old_node_id: string | null;
  /** `null`: it joins the cluster that takes it in. */
  readonly cluster_id: string | null;
}

/** Nothing is rebuilt. The message says why, and what to do. */
export class RebuildRefusedError extends Error {
  /** "RebuildRefusedError". */
  override readonly name = "RebuildRefusedError";
}

/**
 * Looks what there is to rebuild at `path`.
 *
 * Rejects with {@linkcode RebuildRefusedError}, and as {@linkcode inspect} does.
 */
export async function planRebuild(
  path: string,
  { force, clusterId }: RebuildOptions,
): Promise<RebuildPlan> {
  const found = await inspect(path);
  const { damage, stateDamage, messageDamage, identity, members } = found;
  if (damage.length === 0 && stateDamage.length === 0 && !force) {
    const [first] = messageDamage;
    if (first !== undefined) {
      throw new RebuildRefusedError(
        `${first} (${messageDamage.length} in all): the server of '${path}' starts with that, serves nothing of it, and has it from the ` +
          "others again; -force rebuilds all the same",
      );
    }
    throw new RebuildRefusedError(
      `Data directory '${path}' is whole: its server starts with it; -force rebuilds it all the same`,
    );
  }
  const kind = damage.length === 0 && !force ? "state" : "all";
  if (kind === "state") return { path, kind, found, clusterId };
  if (clusterId === undefined && members !== undefined && !hasOthers(members, identity)) {
    const asFar = damage.length === 0 ? "" : ", as far as its files can be read";
    const own = identity?.clusterId ?? "ID";
    throw new RebuildRefusedError(
      `The server of '${path}' is the only voter${asFar}: nobody else has what it had; put back a copy of the directory, ` +
        `or, if others have it after all, say so with -cluster-id ${own}`,
    );
  }
  if (identity !== undefined && formerIds(identity).length > MAX_REPLACED) {
    throw new RebuildRefusedError(
      `The server of '${path}' was rebuilt ${MAX_REPLACED} times, and its earlier ids are not out of the members: start it ` +
        `until it has taken them out, or take out those without a name ('skein raft peers', 'skein raft remove ID') and start it with an empty directory`,
    );
  }
  return { path, kind, found, clusterId };
}

/** Whether somebody else votes. Of a server whose ids are not known one of the voters is itself. */
function hasOthers(members: Configuration, identity: NodeIdentity | undefined): boolean {
  const voters = members.filter(({ role }) => role === "voter");
  if (identity === undefined) return voters.length > 1;
  const own = formerIds(identity);
  return voters.some(({ id }) => !own.includes(id));
}

/** The ids that a server has had once it has another one, the oldest first. */
function formerIds({ nodeId, rebuilt }: NodeIdentity): readonly string[] {
  return [...rebuilt?.replaces ?? [], nodeId];
}

/**
 * Does it. Rejects with a {@linkcode RebuildRefusedError} when the directory is another server's by now, with a
 * `DirectoryInUseError`, and as the system does.
 */
export async function carryOut(plan: RebuildPlan, now: Date): Promise<RebuildReport> {
  const { path, kind, found: { identity } } = plan;
  using _lock = await lockDirectory(path);
  await using disk = new FileDisk(path);
  // It was not locked while the operator was asked, and an id that is not written down is never taken out.
  if (await idIn(disk, path) !== identity?.nodeId) {
    throw new RebuildRefusedError(
      `Data directory '${path}' was made another server's meanwhile: look at it again`,
    );
  }
  const aside = await makeAside(path, ASIDE, now);
  return await makeAnew(disk, { kind, identity, clusterId: plan.clusterId }, aside, newId());
}

/** What {@linkcode makeAnew} does. */
export interface Making extends Pick<RebuildPlan, "kind" | "clusterId"> {
  /** Whose directory it is; `undefined` when that is damaged. */
  readonly identity: NodeIdentity | undefined;
}

/**
 * The steps of {@linkcode carryOut} on the disk of a directory that nobody else uses; `nodeId` is the id of the new server. What
 * ends between any two of them leaves the server that it was, or a new one that starts or can be made anew again.
 */
export async function makeAnew(
  disk: Disk,
  { kind, identity, clusterId: wanted }: Making,
  aside: Aside,
  nodeId: string,
): Promise<RebuildReport> {
  const moved: string[] = [];
  const clusterId = wanted ?? identity?.clusterId;
  if (kind === "all") {
    if (await aside.copy(NODE_FILE)) moved.push(NODE_FILE);
    const rebuilt = { replaces: identity === undefined ? [] : formerIds(identity) };
    await writeNodeFile(disk, { nodeId, clusterId, rebuilt });
  }
  for (const name of kind === "all" ? STATE : ["state"]) {
    if (await aside.move(name)) moved.push(name);
  }
  // The new one has promised nothing, and says so: a server of a cluster that has no vote file has lost it.
  if (kind === "all") await (await VoteFile.open(disk, "raft/vote", true)).file.close();
  return {
    kind,
    aside: aside.path,
    moved,
    node_id: (kind === "all" ? nodeId : identity?.nodeId) ?? null,
    old_node_id: identity?.nodeId ?? null,
    cluster_id: clusterId ?? null,
  };
}

async function idIn(disk: FileDisk, path: string): Promise<string | undefined> {
  try {
    return (await readNodeFile(disk, path))?.nodeId;
  } catch (error) {
    if (error instanceof DamagedNodeFileError) return undefined;
    throw error;
  }
}
