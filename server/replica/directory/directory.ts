/**
 * The data directory of a server: who it is, and a lock that keeps every other process out.
 *
 * @module
 */

import { dirname } from "node:path";
import type { Disk } from "../../../cluster/runtime.ts";
import { FileDisk } from "../../files/disk.ts";
import { fileProblem } from "../../files/problem.ts";
import {
  DamagedNodeFileError,
  DirectoryError,
  DirectoryInUseError,
  NotADirectoryError,
  OtherClusterError,
  UnusableDirectoryError,
} from "./errors.ts";
import {
  isId,
  newId,
  NODE_FILE,
  type NodeIdentity,
  readNodeFile,
  writeNodeFile,
} from "./node_file.ts";

/** Name of the file that a running process holds locked. Its content does not matter. */
const LOCK_FILE = "lock";

/** Where a server keeps what it has promised. A directory that has one of them is somebody's. */
export const STATE: readonly string[] = ["raft", "state", "topics"];

/** What systems say when a file stands where a directory should. */
const FILE_IN_THE_WAY = ["EEXIST", "ENOTDIR"];

/** A data directory that nobody else uses. To be closed when all that works in it is. */
export class DataDirectory implements AsyncDisposable {
  /** Its path. */
  readonly path: string;
  /** What is in it. */
  readonly disk: Disk;
  readonly #disk: FileDisk;
  readonly #lock: Disposable;
  #identity: NodeIdentity;
  #writing: Promise<void> | undefined;

  /** Takes over an open disk and a lock that is held. */
  constructor(path: string, disk: FileDisk, lock: Disposable, identity: NodeIdentity) {
    this.path = path;
    this.disk = disk;
    this.#disk = disk;
    this.#lock = lock;
    this.#identity = identity;
  }

  /** The id of the server: 128 random bits in hex, drawn once. */
  get nodeId(): string {
    return this.#identity.nodeId;
  }

  /** The id of its cluster, `undefined` until it belongs to one. */
  get clusterId(): string | undefined {
    return this.#identity.clusterId;
  }

  /** Whether it was emptied after a cluster had been there: its server founds none. */
  get isRebuilt(): boolean {
    return this.#identity.rebuilt !== undefined;
  }

  /** The ids that the server had before its directory was rebuilt, and that may still be those of members. */
  get replaces(): readonly string[] {
    return this.#identity.rebuilt?.replaces ?? [];
  }

  /** Forgets earlier ids that are no members any more. Rejects as {@linkcode Disk} does. */
  async forget(ids: readonly string[]): Promise<void> {
    const replaces = this.replaces.filter((id) => !ids.includes(id));
    await this.become({ ...this.#identity, rebuilt: { replaces } });
  }

  /** Makes it the directory of another server. Rejects as {@linkcode Disk} does. */
  async become(identity: NodeIdentity): Promise<void> {
    this.#writing = writeNodeFile(this.#disk, identity);
    await this.#writing;
    this.#identity = identity;
  }

  /**
   * Writes down which cluster the server belongs to; from then on it is this one. Calls must not overlap.
   *
   * Rejects with {@linkcode OtherClusterError} when it is another one already, with {@linkcode RangeError} when the id has not 32
   * hex digits, and as {@linkcode Disk} does.
   */
  async setClusterId(clusterId: string): Promise<void> {
    const { clusterId: own } = this.#identity;
    if (own === clusterId) return;
    if (own !== undefined) throw new OtherClusterError(this.path, own, clusterId);
    if (!isId(clusterId)) {
      throw new RangeError(`Cluster id is '${clusterId}', expected 32 hex digits`);
    }
    await this.become({ ...this.#identity, clusterId });
  }

  /** What is wrong with the file that says who this server is, if anything. Rejects as {@linkcode Disk} does. */
  async check(): Promise<string[]> {
    try {
      if (await readNodeFile(this.#disk, this.path) !== undefined) return [];
      return [`File '${this.path}/${NODE_FILE}' is missing`];
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      return [error.message];
    }
  }

  /** Waits for what is under way on the disk, closes it and lets others in. */
  async close(): Promise<void> {
    // Who asked for it is told if it fails.
    await this.#writing?.catch(() => {});
    await this.#disk.close();
    this.#lock[Symbol.dispose]();
  }

  /** Same as {@linkcode DataDirectory.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a data directory. One that is missing is made, for its owner only, with the directories above it; one that is empty
 * becomes a new server's.
 *
 * Rejects with a {@linkcode DirectoryError}, whose message is for the operator.
 */
export async function openDirectory(path: string): Promise<DataDirectory> {
  try {
    await makeDirectory(path);
    const lock = await lockDirectory(path);
    const disk = new FileDisk(path);
    try {
      return new DataDirectory(path, disk, lock, await identityIn(disk, path));
    } catch (error) {
      await disk.close();
      lock[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    throw directoryError(path, error);
  }
}

/** The new names last over a crash of the machine. */
async function makeDirectory(path: string): Promise<void> {
  const made: string[] = [];
  for (let above = path; !await isThere(above); above = dirname(above)) made.push(above);
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  for (const folder of made) {
    await using parent = new FileDisk(dirname(folder));
    await parent.sync("");
  }
}

/** Whatever else is wrong with it is told by who makes or opens it. */
async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  return true;
}

/**
 * Keeps every other process out of a directory until the lock is disposed of. The system takes it back when the process ends,
 * however it does. Rejects with {@linkcode DirectoryInUseError}, and as the system does.
 */
export async function lockDirectory(path: string): Promise<Disposable> {
  const options = { write: true, create: true, mode: 0o600 };
  const file = await Deno.open(`${path}/${LOCK_FILE}`, options);
  try {
    if (await file.tryLock(true)) return { [Symbol.dispose]: () => unlock(file) };
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  throw new DirectoryInUseError(path);
}

/** A process that is being started by this one has the file open for a moment: closing it here would leave it locked. */
function unlock(file: Deno.FsFile): void {
  try {
    file.unlockSync();
  } finally {
    file.close();
  }
}

async function identityIn(disk: Disk, path: string): Promise<NodeIdentity> {
  const known = await readNodeFile(disk, path);
  if (known !== undefined) {
    // A process that was killed may have left the name unsynced.
    await disk.sync("");
    return known;
  }
  const state = (await disk.list("")).find(({ name }) => STATE.includes(name));
  if (state !== undefined) {
    const problem = `is missing, but there is '${state.name}'`;
    throw new DamagedNodeFileError(`${path}/${NODE_FILE}`, problem);
  }
  const identity = { nodeId: newId(), clusterId: undefined };
  await writeNodeFile(disk, identity);
  return identity;
}

/** What the system says, as an error for the operator. */
function directoryError(path: string, error: unknown): unknown {
  if (error instanceof DirectoryError || !(error instanceof Error)) return error;
  const told = error.cause ?? error;
  const { code } = told as { code?: string };
  if (code === undefined) return error;
  if (FILE_IN_THE_WAY.includes(code)) return new NotADirectoryError(path, error);
  return new UnusableDirectoryError(path, fileProblem(told), error);
}
