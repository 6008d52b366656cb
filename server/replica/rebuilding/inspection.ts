/**
 * What there is in the data directory of a server that does not run, and what of it is damaged.
 *
 * @module
 */

import { lastIndexOf } from "../../../cluster/raft/log/restored.ts";
import type { Configuration, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import { MemoryStore } from "../../../cluster/machine/mod.ts";
import type { Disk } from "../../../cluster/runtime.ts";
import { isLogDamage, isStateDamage } from "../damage.ts";
import { openDirectory, STATE } from "../directory/directory.ts";
import { DamagedNodeFileError } from "../directory/errors.ts";
import { NODE_FILE, type NodeIdentity } from "../directory/node_file.ts";
import { LogFiles } from "../log/log_files.ts";
import type { RestoredLog } from "../log/opening.ts";
import { VoteFile } from "../log/vote_file.ts";
import { SegmentFiles } from "../segments/segment_files.ts";
import { stateOfMessages } from "../segments/state.ts";
import { SnapshotFiles } from "../snapshots/snapshot_files.ts";
import { mayLackVote } from "../storage.ts";
import { SqliteStore } from "../store/sqlite_store.ts";
import { FileDisk } from "../../files/disk.ts";
import { hashOf } from "../verification/reading.ts";
import { readableMembers } from "./members.ts";

/** A directory as it was found. */
export interface Inspection {
  /** Whose it is; `undefined` when that is damaged. */
  readonly identity: NodeIdentity | undefined;
  /** What is damaged of what the server has promised: log, vote, snapshots, who it is. */
  readonly damage: readonly string[];
  /** What is damaged of the state, which log and snapshot can make anew. */
  readonly stateDamage: readonly string[];
  /** What is damaged of the messages of topics, which a server that starts has from others again. */
  readonly messageDamage: readonly string[];
  /**
   * The members of the log as far as it, and the newest snapshot, can be read: where either is damaged, others may have come
   * later. `undefined` when nothing tells.
   */
  readonly members: Configuration | undefined;
}

/** There is nothing in a directory that could be rebuilt. */
export class NoDataError extends Error {
  /** "NoDataError". */
  override readonly name = "NoDataError";

  /** `path` is that of the directory. */
  constructor(path: string) {
    super(`'${path}' is no data directory of a server: a server can be started with an empty one`);
  }
}

/**
 * Reads all of a data directory, as a start of its server would, and more.
 *
 * Rejects with {@linkcode NoDataError}, with a `DirectoryError` when it is in use, of another version or cannot be read, and as the
 * disk does.
 */
export async function inspect(path: string): Promise<Inspection> {
  await requireData(path);
  const found = {
    identity: undefined as NodeIdentity | undefined,
    damage: [] as string[],
    stateDamage: [] as string[],
    messageDamage: [] as string[],
    members: undefined as Configuration | undefined,
  };
  try {
    await using directory = await openDirectory(path);
    const { nodeId, clusterId, replaces, isRebuilt } = directory;
    found.identity = { nodeId, clusterId, ...isRebuilt && { rebuilt: { replaces } } };
    const { disk } = directory;
    const log = await tried(found.damage, async () => {
      const { log, restored } = await LogFiles.open(disk, "raft");
      await log.close();
      return restored;
    });
    const isNew = log !== undefined && mayLackVote(clusterId, log);
    await tried(
      found.damage,
      async () => (await VoteFile.open(disk, "raft/vote", isNew)).file.close(),
    );
    const snapshots = await tried(
      found.damage,
      () => SnapshotFiles.open({ disk, folder: "raft/snapshots", store: new MemoryStore() }),
    );
    const damaged = await snapshots?.check(() => false);
    found.damage.push(...damaged ?? []);
    found.members = await membersIn(disk, snapshots?.newest);
    const state = await tried(found.stateDamage, () => readState(`${path}/state`, disk));
    const applied = state?.applied ?? 0;
    found.messageDamage.push(...state?.messageDamage ?? []);
    if (log !== undefined && snapshots !== undefined) {
      found.damage.push(...gapsIn(log, snapshots.newest, applied));
    }
  } catch (error) {
    if (!(error instanceof DamagedNodeFileError)) throw error;
    found.damage.push(error.message);
    await using disk = new FileDisk(path);
    found.members = await membersIn(disk, undefined);
  }
  return found;
}

/** Rejects with {@linkcode NoDataError} when there is nothing of a server at `path`, and as the system does. */
export async function requireData(path: string): Promise<void> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) names.push(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      throw new NoDataError(path);
    }
    throw error;
  }
  if (!names.some((name) => name === NODE_FILE || STATE.includes(name))) {
    throw new NoDataError(path);
  }
}

async function tried<T>(damage: string[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isLogDamage(error) && !isStateDamage(error)) throw error;
    damage.push(error.message);
    return undefined;
  }
}

/** Reads every row, and every message that one tells of; resolves with the entry that was applied last. */
async function readState(
  folder: string,
  disk: Disk,
): Promise<{ readonly applied: number | undefined; readonly messageDamage: readonly string[] }> {
  await using store = await SqliteStore.open(folder, {
    failed: (error) => {
      throw error;
    },
  });
  const view = store.view();
  let applied: number | undefined;
  try {
    applied = (await hashOf(view, () => Promise.resolve(), () => false))?.index;
  } finally {
    view.close();
  }
  const state = stateOfMessages(() => store);
  const found = { damaged: () => {}, failed: () => {} };
  await using segments = await SegmentFiles.open({ disk, folder: "topics", state, ...found });
  return { applied, messageDamage: await segments.check(() => false) };
}

async function membersIn(
  disk: Disk,
  snapshot: SnapshotMeta | undefined,
): Promise<Configuration | undefined> {
  const known = await readableMembers(disk, "raft");
  const isNewer = snapshot !== undefined && snapshot.configurationIndex >= (known?.index ?? 0);
  return isNewer ? snapshot.configuration : known?.configuration;
}

/** Entries that were there and are not: before what the log has, or after it. */
function gapsIn(
  log: RestoredLog,
  snapshot: SnapshotMeta | undefined,
  applied: number,
): string[] {
  const covered = snapshot?.index ?? 0;
  const last = Math.max(covered, lastIndexOf(log));
  const gaps: string[] = [];
  if (log.beforeIndex > covered) {
    gaps.push(
      `Log begins after entry ${log.beforeIndex}, the newest snapshot ends with ${covered}`,
    );
  }
  if (applied > last) gaps.push(`State has entry ${applied}, the log ends with ${last}`);
  return gaps;
}
