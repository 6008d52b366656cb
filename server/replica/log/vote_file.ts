/**
 * Term and vote of a server: one small file that is replaced as a whole.
 *
 *     "skeinvot" | u32 format | u32 length of the vote | u64 term | vote in UTF-8 | u32 CRC-32 of all before
 *
 * Integers have their highest byte first. No vote is one of length 0.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { VoteWrite } from "../../../cluster/raft/state/effects.ts";
import { type Disk, DiskFullError, FileNotFoundError, folderOf } from "../../../cluster/runtime.ts";
import { equalBytes, getU32, getU64, putU32, putU64 } from "../../../protocol/bytes.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import type { VoteStore } from "../driver/parts.ts";
import { placeFile, syncFolders } from "./placing.ts";

/** The format that is written, and the only one that is read. */
const FORMAT = 1;

const MAGIC = encodeUtf8("skeinvot");
const HEAD_BYTES = 24;
const CHECKSUM_BYTES = 4;

/** Longest id of a server in the file, in bytes. */
const MAX_VOTE_BYTES = 255;

/** What a server has promised. */
export interface Vote {
  /** The current term; 0 at first. */
  readonly term: number;
  /** Who got its vote in this term. */
  readonly vote: string | undefined;
}

/** The file of the vote holds none. What was promised is not known, so that this server must not vote. */
export class DamagedVoteError extends Error {
  /** "DamagedVoteError". */
  override readonly name = "DamagedVoteError";

  /** `problem` says what is wrong with the file at `path`. */
  constructor(path: string, problem: string) {
    super(`Vote file '${path}' is damaged: ${problem}`);
  }
}

/** The vote could not be written, and nobody knows which one is on the disk: the server has to stop. */
export class VoteFailedError extends Error {
  /** "VoteFailedError". */
  override readonly name = "VoteFailedError";

  /** `cause` is what went wrong. */
  constructor(path: string, cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause);
    super(`Vote file '${path}' cannot be written any more: ${said}`, { cause });
  }
}

/** The vote on a disk. */
export class VoteFile implements VoteStore {
  readonly #disk: Disk;
  readonly #path: string;
  #newest: Vote;
  /** The newest of those that wait, which stands for all of them. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;
  #failure: VoteFailedError | undefined;

  /**
   * Reads the file at `path` of `disk`. Where a new server has none, nothing was promised, and one is made: before it has anything
   * else, so that without one any other server has lost it, and might vote a second time. What is read outlives a crash of the
   * machine.
   *
   * Rejects as `Disk` does, and with {@linkcode DamagedVoteError}.
   */
  static async open(
    disk: Disk,
    path: string,
    isNew: boolean,
  ): Promise<{ file: VoteFile; restored: Vote }> {
    const restored = await openVote(disk, path, isNew);
    return { file: new VoteFile(disk, path, restored), restored };
  }

  private constructor(disk: Disk, path: string, newest: Vote) {
    this.#disk = disk;
    this.#path = path;
    this.#newest = newest;
  }

  /**
   * See {@linkcode VoteStore.write}: resolves when this or a newer one is on the disk.
   *
   * Rejects with {@linkcode DiskFullError} when there was no room; the file is then as it was before, and whatever is handed over
   * next is tried again. Rejects with {@linkcode VoteFailedError} when nobody knows; so does everything from then on.
   */
  write({ term, vote }: VoteWrite): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#newest = { term, vote };
    const { promise } = this.#waiting ??= Promise.withResolvers<void>();
    this.#running ??= this.#run();
    return promise;
  }

  /** What is wrong with the file as it is now, if anything. Rejects as `Disk` does. */
  async check(): Promise<string[]> {
    try {
      await readVote(this.#disk, this.#path);
      return [];
    } catch (error) {
      if (!(error instanceof DamagedVoteError || error instanceof FileNotFoundError)) throw error;
      return [error.message];
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let done = this.#waiting; done !== undefined; done = this.#waiting) {
      this.#waiting = undefined;
      try {
        if (this.#failure !== undefined) throw this.#failure;
        const bytes = encodeVote(this.#newest);
        await placeFile(this.#disk, this.#path, () => [bytes]);
        done.resolve();
      } catch (error) {
        if (!(error instanceof DiskFullError)) this.#fail(error);
        done.reject(this.#failure ?? error);
      }
    }
    this.#running = undefined;
  }

  #fail(error: unknown): void {
    this.#failure ??= new VoteFailedError(this.#path, error);
  }
}

async function openVote(disk: Disk, path: string, isNew: boolean): Promise<Vote> {
  const vote = await readVote(disk, path).catch(async (error) => {
    if (!(error instanceof FileNotFoundError)) throw error;
    if (!isNew) throw new DamagedVoteError(path, "It is missing");
    const none = { term: 0, vote: undefined };
    await placeFile(disk, path, () => [encodeVote(none)]);
    return none;
  });
  // The folder may be new, or a process that was killed has left the name unsynced.
  await syncFolders(disk, folderOf(path));
  return vote;
}

async function readVote(disk: Disk, path: string): Promise<Vote> {
  const most = HEAD_BYTES + MAX_VOTE_BYTES + CHECKSUM_BYTES;
  const vote = decodeVote(await disk.read(path, 0, most + 1));
  if (typeof vote === "string") throw new DamagedVoteError(path, vote);
  return vote;
}

function encodeVote({ term, vote }: Vote): Uint8Array<ArrayBuffer> {
  const id = encodeUtf8(vote ?? "");
  if (id.length > MAX_VOTE_BYTES || vote === "") {
    throw new RangeError(`Vote takes ${id.length} bytes, expected 1 to ${MAX_VOTE_BYTES}`);
  }
  const end = HEAD_BYTES + id.length;
  const bytes = new Uint8Array(end + CHECKSUM_BYTES);
  bytes.set(MAGIC);
  putU32(bytes, 8, FORMAT);
  putU32(bytes, 12, id.length);
  putU64(bytes, 16, term);
  bytes.set(id, HEAD_BYTES);
  putU32(bytes, end, crc32(bytes.subarray(0, end)));
  return bytes;
}

/** The vote in a file, or what is wrong with it. */
function decodeVote(bytes: Uint8Array): Vote | string {
  if (bytes.length < HEAD_BYTES + CHECKSUM_BYTES) return `File has ${bytes.length} bytes`;
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return "No head of a vote file";
  const end = bytes.length - CHECKSUM_BYTES;
  if (crc32(bytes.subarray(0, end)) !== getU32(bytes, end)) return "File has a wrong checksum";
  const format = getU32(bytes, 8);
  if (format !== FORMAT) return `File has format ${format}, expected ${FORMAT}`;
  const [length, term] = [getU32(bytes, 12), getU64(bytes, 16)];
  if (length !== end - HEAD_BYTES || !Number.isSafeInteger(term)) return "File is none";
  return { term, vote: length === 0 ? undefined : decodeUtf8(bytes.subarray(HEAD_BYTES, end)) };
}
