/**
 * Opens the rejoin file and reads what it says, before anything else of the agent begins (docs/spec/serf.md 15).
 *
 * @module
 */

import { type Disk, DiskRefusedError } from "../../cluster/runtime.ts";
import { RejoinReplay, type Replayed } from "../../cluster/serf/rejoin/mod.ts";
import { fileProblem } from "../files/problem.ts";
import { userFile } from "../files/user_file.ts";

/**
 * Most bytes of a file that are read, from its end: four times what as many members as are kept take when the file has
 * to be written anew.
 */
export const MAX_READ_BYTES = 64 * 1024 * 1024;

/** Everybody may read what an agent knows of others, as with Serf. */
const MODE = 0o644;

const CHUNK_BYTES = 64 * 1024;
const LINE_END = 0x0a;

/** A rejoin file that cannot be used at all. The message has the form of the Go agent. */
export class RejoinFileError extends Error {
  /** "RejoinFileError". */
  override readonly name = "RejoinFileError";
}

/** A file that was read. */
export interface OpenedFile {
  /** The disk that it is on. */
  readonly disk: Disk;
  /** Its name there. */
  readonly name: string;
  /** Lets the disk go. */
  release(): Promise<void>;
  /** Its length in bytes, without a torn tail. */
  readonly bytes: number;
  /** What it said. */
  readonly replayed: Replayed;
  /** Bytes at its beginning that were not read, because it is too long. */
  readonly unread: number;
}

/**
 * Opens a file, or makes an empty one of mode 0644, and reads it. A torn last line is cut off, as what is added would
 * make another record of it. `onDisk` may put another disk in place of the one that the file is on.
 *
 * @throws {RejoinFileError} when it is no file, or cannot be read or written.
 */
export async function openFile(
  path: string,
  options: { readonly rejoinAfterLeave: boolean; readonly onDisk?: (disk: Disk) => Disk },
): Promise<OpenedFile> {
  await using opened = new AsyncDisposableStack();
  try {
    const size = await makeAndMeasure(path);
    const file = await userFile(path, { mode: MODE, keepsMode: true });
    opened.use(file.disk);
    const { name } = file;
    const disk = options.onDisk?.(file.disk) ?? file.disk;
    const unread = Math.max(0, size - MAX_READ_BYTES);
    const replay = new RejoinReplay(options);
    const skipped = await readInto(replay, disk, name, unread);
    const replayed = replay.end();
    const whole = unread + skipped + replayed.wholeBytes;
    const bytes = replayed.torn ? await endLastLine(disk, name, { whole, size }) : whole;
    opened.move();
    return { disk, name, release: () => file.disk.close(), bytes, replayed, unread };
  } catch (cause) {
    const text = `failed to open snapshot: open ${path}: ${fileProblem(cause)}`;
    throw new RejoinFileError(`Failed to setup snapshot: ${text}`, { cause });
  }
}

/**
 * Cuts a torn last line off; where that is refused, ends it so that it is no record. Resolves with the length of the
 * file then.
 */
async function endLastLine(
  disk: Disk,
  name: string,
  { whole, size }: { whole: number; size: number },
): Promise<number> {
  try {
    await disk.truncate(name, whole);
    return whole;
  } catch (error) {
    if (!(error instanceof DiskRefusedError)) throw error;
    await disk.append(name, Uint8Array.of(0, LINE_END));
    return size + 2;
  }
}

/** The length of a file that can be read and written, in bytes. */
async function makeAndMeasure(path: string): Promise<number> {
  using file = await Deno.open(path, { read: true, append: true, create: true, mode: MODE });
  const { isFile, size } = await file.stat();
  if (!isFile) throw new Error("is no regular file");
  return size;
}

/** Reads the file from `offset` on, there from the next whole line. Resolves with how many bytes are before that line. */
async function readInto(
  replay: RejoinReplay,
  disk: Disk,
  name: string,
  offset: number,
): Promise<number> {
  let skipped = 0;
  let aligned = offset === 0;
  for (let position = offset;;) {
    const chunk = await disk.read(name, position, CHUNK_BYTES);
    if (chunk.length === 0) return skipped;
    position += chunk.length;
    const begin = aligned ? 0 : chunk.indexOf(LINE_END) + 1;
    aligned ||= begin > 0;
    skipped += aligned ? begin : chunk.length;
    if (aligned) replay.push(chunk.subarray(begin));
  }
}
