/**
 * All that a server keeps: its directory, the log and the vote, the snapshots, and the machine's state.
 *
 *     node.json lock      server/replica/directory
 *     raft/*.log vote     server/replica/log
 *     raft/snapshots/     server/replica/snapshots
 *     state/              server/replica/store
 *     topics/             server/replica/segments
 *
 * @module
 */

import { DiskFullError } from "../../cluster/runtime.ts";
import { type DataDirectory, openDirectory } from "./directory/directory.ts";
import { LazyDisk } from "./lazy_disk.ts";
import { LogFiles } from "./log/log_files.ts";
import type { RestoredLog } from "./log/opening.ts";
import { type Vote, VoteFile } from "./log/vote_file.ts";
import { SegmentFiles } from "./segments/segment_files.ts";
import { Messages, type MessagesParts } from "./segments/messages.ts";
import { stateOfMessages } from "./segments/state.ts";
import { SnapshotFiles } from "./snapshots/snapshot_files.ts";
import type { Durability } from "./state_settings.ts";
import { type Companion, SqliteStore } from "./store/sqlite_store.ts";
import type { Checkable } from "./verification/reading.ts";

/** Pause between two syncs of a log that is not synced before answers, in milliseconds. */
const ASYNC_MS = 100;

/** What a server keeps, opened. */
export interface Storage extends AsyncDisposable {
  readonly directory: DataDirectory;
  readonly log: LogFiles;
  readonly votes: VoteFile;
  readonly snapshots: SnapshotFiles;
  readonly store: SqliteStore;
  readonly messages: Messages;
  /** All files but those of the store, to be read again. */
  readonly files: readonly Checkable[];
}

/** What was found of the log, and of the vote: all that the log has, which nobody should keep. */
export type Found = RestoredLog & Vote;

/** What opening needs besides the directory. */
export interface StorageOptions {
  readonly durability: Durability;
  /** There is no room for the state, which the log has: until there is, it stays in memory, and may end there. Told once. */
  readonly full: (error: DiskFullError) => void;
  /** The state can no longer be written. */
  readonly failed: (error: Error) => void;
  /** The way to other servers, who may have what is damaged here. */
  readonly net: MessagesParts["net"];
  readonly logger: MessagesParts["logger"];
}

/**
 * Opens a data directory, which is made when it is missing; without a path one that is removed when it is closed.
 *
 * Rejects with one line for the operator: a `DirectoryError`, `DamagedLogError`, `DamagedVoteError`, `DamagedSnapshotError`, or an
 * error of the store.
 */
export async function openStorage(
  path: string | undefined,
  options: StorageOptions,
): Promise<{ readonly storage: Storage; readonly found: Found }> {
  await using opened = new AsyncDisposableStack();
  const place = path ?? await Deno.makeTempDir({ prefix: "skein-" });
  if (path === undefined) opened.defer(() => Deno.remove(place, { recursive: true }));
  const isSync = options.durability === "sync";
  const directory = opened.use(await openDirectory(place));
  const everyMs = options.durability === "async" ? ASYNC_MS : undefined;
  const lazy = isSync
    ? undefined
    : opened.use(new LazyDisk(directory.disk, options.failed, everyMs));
  const disk = lazy ?? directory.disk;
  const { log, restored } = await LogFiles.open(disk, "raft", { isLazy: !isSync });
  opened.use(log);
  // What is not synced may be lost with the power: of one server, whose vote nobody counts.
  const isNew = !isSync || mayLackVote(directory.clusterId, restored);
  const { file: votes, restored: vote } = await VoteFile.open(disk, "raft/vote", isNew);
  opened.defer(() => votes.close());
  const state = stateOfMessages(() => store);
  const segments = opened.use(
    await SegmentFiles.open({
      // Nobody waits for their syncs, which keep what the log is rid of.
      disk: options.durability === "memory" ? disk : directory.disk,
      folder: "topics",
      state,
      damaged: (error) => messages.damaged(error),
      failed: options.failed,
    }),
  );
  const store = await SqliteStore.open(`${place}/state`, {
    companion: lazy === undefined ? segments : behind(lazy, segments),
    failed: (error) => {
      if (error instanceof DiskFullError) options.full(error);
      else options.failed(error as Error);
    },
  });
  opened.defer(() => store.close().catch(ignoreFull));
  const { net, logger, failed } = options;
  const messages = new Messages({ files: segments, state, net, logger, failed });
  opened.defer(() => messages.close());
  const snapshots = await SnapshotFiles.open({
    disk,
    folder: "raft/snapshots",
    store,
    companion: messages,
  });
  const stack = opened.move();
  const storage: Storage = {
    directory,
    log,
    votes,
    snapshots,
    store,
    messages,
    files: [directory, votes, log, snapshots, segments],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return { storage, found: { ...restored, ...vote } };
}

/** The rows are in no file before the log that they were made of, and what they tell of, are there to stay. */
export function behind(log: Pick<LazyDisk, "flush">, companion: Companion): Companion {
  return {
    sync: async () => {
      await log.flush();
      await companion.sync();
    },
    forgettable: () => companion.forgettable(),
  };
}

/** Whether a server that has this may have no vote file: it belongs to no cluster yet, and has no entry. */
export function mayLackVote(
  clusterId: string | undefined,
  { beforeIndex, entries }: Pick<RestoredLog, "beforeIndex" | "entries">,
): boolean {
  return clusterId === undefined && beforeIndex === 0 && entries.length === 0;
}

/** What a state lacks comes from the log at the next start: no entry leaves that before the state is synced. */
function ignoreFull(error: unknown): void {
  if (!(error instanceof DiskFullError)) throw error;
}
