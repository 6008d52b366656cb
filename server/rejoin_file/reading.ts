/**
 * Opens the file of a snapshot and reads what it says, before anything else of the agent begins (serf.md 15).
 *
 * @module
 */

import { type Replayed, SnapshotReplay } from "../../cluster/serf/rejoin/mod.ts";
import { fileProblem } from "../files/problem.ts";

/**
 * Most bytes of a file that are read, from its end: four times what as many members as are kept take when the file has to
 * be written anew.
 */
export const MAX_READ_BYTES = 64 * 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;
const LINE_END = 0x0a;

/** The file operations that a snapshot needs. */
export type Disk = Pick<typeof Deno, "open" | "rename" | "remove" | "copyFile">;

/** A snapshot that cannot be used at all. The message has the form of the Go agent. */
export class SnapshotError extends Error {
  /** "SnapshotError". */
  override readonly name = "SnapshotError";
}

/** A file that was read. */
export interface OpenedSnapshot {
  /** The file, which takes more lines at its end. */
  readonly file: Deno.FsFile;
  /** Its length in bytes, without a torn tail. */
  readonly bytes: number;
  /** What it said. */
  readonly replayed: Replayed;
  /** Bytes at its beginning that were not read, because it is too long. */
  readonly unread: number;
}

/**
 * Opens a file, or makes an empty one of mode 0644, and reads it. A torn last line is cut off, as what is added would make
 * another record of it.
 *
 * @throws {SnapshotError} when it is no file, or cannot be read or written.
 */
export async function openSnapshot(
  path: string,
  options: { readonly rejoinAfterLeave: boolean; readonly disk: Disk },
): Promise<OpenedSnapshot> {
  let file: Deno.FsFile | undefined;
  try {
    file = await options.disk.open(path, { read: true, append: true, create: true, mode: 0o644 });
    const { isFile, size } = await file.stat();
    if (!isFile) throw new Error("is no regular file");
    const unread = Math.max(0, size - MAX_READ_BYTES);
    const replay = new SnapshotReplay(options);
    const skipped = await readInto(replay, file, unread);
    const replayed = replay.end();
    const bytes = unread + skipped + replayed.wholeBytes;
    if (replayed.torn) await file.truncate(bytes);
    return { file, bytes, replayed, unread };
  } catch (cause) {
    file?.close();
    const text = `failed to open snapshot: open ${path}: ${fileProblem(cause)}`;
    throw new SnapshotError(`Failed to setup snapshot: ${text}`, { cause });
  }
}

/** Reads the file from `offset` on, there from the next whole line. Resolves with how many bytes are before that line. */
async function readInto(
  replay: SnapshotReplay,
  file: Deno.FsFile,
  offset: number,
): Promise<number> {
  await file.seek(offset, Deno.SeekMode.Start);
  const buffer = new Uint8Array(CHUNK_BYTES);
  let skipped = 0;
  for (let aligned = offset === 0;;) {
    const count = await file.read(buffer);
    if (count === null) return skipped;
    const chunk = buffer.subarray(0, count);
    const begin = aligned ? 0 : chunk.indexOf(LINE_END) + 1;
    aligned ||= begin > 0;
    skipped += aligned ? begin : count;
    if (aligned) replay.push(chunk.subarray(begin));
  }
}
