/**
 * Makes of one server a new cluster of its own, when no majority of the old one will ever come back.
 *
 * It keeps all entries it has: what was committed, as far as it came to this server, and what was not. What others have acknowledged
 * and this one never got is lost. So that is not safe in Raft's sense, and nothing could be: it is a new log that begins with the
 * old one's entries. Therefore it is a **new cluster**, with a new id, and a new server in it: were it the old one still, the others
 * might come back after all, elect a leader among themselves and commit other entries at the same places, and both sides would send
 * each other what the other must not have. Servers of two clusters refuse to talk to each other (`peers/hello.ts`). The entry that
 * makes the new server its only member stands at the end of the log in a term that the old cluster has not seen here.
 *
 * The ids are written down before that entry is: a process that ends in between leaves a server that belongs to nothing and waits.
 *
 * @module
 */

import { type Configuration, createRaft, DEFAULT_RAFT_OPTIONS } from "../../../cluster/raft/mod.ts";
import { encodeConfiguration } from "../../../cluster/raft/membership/configuration.ts";
import { Machine } from "../../../cluster/machine/mod.ts";
import { realClock, realRandom } from "../../runtime.ts";
import { withAdvice } from "../damage.ts";
import { newId, NODE_FILE } from "../directory/node_file.ts";
import { restore } from "../driver/restore.ts";
import { NO_NET } from "../segments/fetching/net.ts";
import { openStorage, type Storage } from "../storage.ts";
import { makeAside } from "./aside.ts";
import { requireData } from "./inspection.ts";
import { RebuildRefusedError } from "./rebuild.ts";

/** What the server has, whose cluster is lost. */
export interface SinglePlan {
  readonly path: string;
  readonly clusterId: string;
  readonly members: Configuration;
  /** Its last entry. */
  readonly lastIndex: number;
  /** Up to there it knows entries to be committed. */
  readonly applied: number;
}

/** What was done. */
export interface SingleReport {
  readonly node_id: string;
  readonly cluster_id: string;
  readonly old_cluster_id: string | null;
  readonly term: number;
  /** The entry that makes it the only member. */
  readonly index: number;
  /** Where the old `node.json` is. */
  readonly aside: string;
}

/** Looks what the server has. Rejects with a `DamagedDirectoryError` when not all of it can be read, and as a start does. */
export function planSingle(path: string): Promise<SinglePlan> {
  return opened(path, ({ directory: { clusterId } }, { lastIndex, applied, members }) => {
    if (clusterId === undefined || lastIndex === 0) {
      throw new RebuildRefusedError(
        `The server of '${path}' has no entry of any cluster: start it with -bootstrap-expect`,
      );
    }
    const { configuration } = members;
    return Promise.resolve({ path, clusterId, members: configuration, lastIndex, applied });
  });
}

/** Does it. Rejects as {@linkcode planSingle} does. */
export function forceSingle({ path }: SinglePlan, now: Date): Promise<SingleReport> {
  return opened(path, async ({ directory, log, votes }, { lastIndex, term }) => {
    const before = directory.clusterId;
    const aside = await makeAside(path, "single", now);
    await aside.copy(NODE_FILE);
    const next = term + 1;
    await votes.write({ seq: 0, term: next, vote: undefined });
    const [nodeId, clusterId] = [newId(), newId()];
    await directory.become({ nodeId, clusterId });
    const data = encodeConfiguration([{ id: nodeId, role: "voter" }]);
    const index = lastIndex + 1;
    await log.write({
      seq: 0,
      entries: [{ index, term: next, type: "configuration", time: 0, data }],
    });
    return {
      node_id: nodeId,
      cluster_id: clusterId,
      old_cluster_id: before ?? null,
      term: next,
      index,
      aside: aside.path,
    };
  });
}

/** What a server would begin with. */
interface Beginning {
  readonly lastIndex: number;
  readonly applied: number;
  /** The newest term that it knows of. */
  readonly term: number;
  readonly members: ReturnType<typeof createRaft>["members"];
}

async function opened<T>(
  path: string,
  work: (storage: Storage, beginning: Beginning) => Promise<T>,
): Promise<T> {
  await requireData(path);
  const failed = (error: Error): never => {
    throw error;
  };
  try {
    const silent = { info() {}, error() {} };
    const options = {
      durability: "sync",
      full: failed,
      failed,
      net: NO_NET,
      logger: silent,
    } as const;
    const { storage, found } = await openStorage(path, options);
    await using _ = storage;
    const { directory, log, snapshots, store } = storage;
    const { raft, machine } = await restore({
      directory: path,
      id: directory.nodeId,
      options: DEFAULT_RAFT_OPTIONS,
      clock: realClock,
      random: realRandom,
      log,
      snapshots,
      newMachine: () => new Machine(store),
    }, { ...found, snapshot: snapshots.newest });
    return await work(storage, {
      lastIndex: raft.log.lastIndex,
      applied: machine.context.index,
      term: Math.max(raft.term, raft.log.lastTerm),
      members: raft.members,
    });
  } catch (error) {
    throw withAdvice(path, error);
  }
}
