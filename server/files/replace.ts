/**
 * Replacing a file as a whole: who reads it finds the old content or the new one, also after a crash.
 *
 * @module
 */

import { type Disk, DiskRefusedError, FileNotFoundError, folderOf } from "../../cluster/runtime.ts";

/** What a file is to hold, in at least one piece; made anew when it is asked for again. */
export type Content = () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A file that had to be written in place holds neither the old content nor the whole new one. */
export class HalfWrittenError extends Error {
  /** "HalfWrittenError". */
  override readonly name = "HalfWrittenError";

  /** `cause` is what went wrong. */
  constructor(path: string, cause: unknown) {
    super(`Wrote '${path}' only in part`, { cause });
  }
}

/**
 * Writes `content` to the file `fresh` in the same folder, default `PATH.new`, syncs it, renames it to `path` and syncs the
 * folder. A `fresh` that an earlier try left behind is removed.
 *
 * Rejects as {@linkcode Disk} does, and then removes `fresh` if it can. Unless it was only the folder that could not be
 * synced, `path` is as it was.
 */
export async function replaceFile(
  disk: Disk,
  path: string,
  content: Content,
  fresh: string = `${path}.new`,
): Promise<void> {
  await putInPlace(disk, path, content, fresh);
  await disk.sync(folderOf(path));
}

/**
 * The same in a folder that need not be the agent's own. Where it refuses another file (a single file that is mounted into a
 * container), the file is written in place, if it is there; where it cannot be synced, the system decides when the new name
 * lasts.
 *
 * Rejects as {@linkcode Disk} does, and with {@linkcode HalfWrittenError}.
 */
export async function replaceUserFile(
  disk: Disk,
  path: string,
  content: Content,
  fresh: string,
): Promise<void> {
  try {
    await putInPlace(disk, path, content, fresh);
  } catch (error) {
    if (!(error instanceof DiskRefusedError)) throw error;
    // The first refusal tells more.
    await disk.truncate(path, 0).catch(() => {
      throw error;
    });
    return await write(disk, path, content).catch((cause) => {
      throw new HalfWrittenError(path, cause);
    });
  }
  // What matters is that the file itself is whole.
  await disk.sync(folderOf(path)).catch(() => {});
}

/**
 * Does all of {@linkcode replaceFile} but the last sync: after a crash `path` may be the old file again. When it rejects, `path`
 * is as it was.
 */
export async function putInPlace(
  disk: Disk,
  path: string,
  content: Content,
  fresh: string,
): Promise<void> {
  try {
    await disk.remove(fresh).catch((error) => {
      if (!(error instanceof FileNotFoundError)) throw error;
    });
    await write(disk, fresh, content);
    await disk.rename(fresh, path);
  } catch (error) {
    // It may take the room that is missing.
    await disk.remove(fresh).catch(() => {});
    throw error;
  }
}

async function write(disk: Disk, path: string, content: Content): Promise<void> {
  for await (const bytes of content()) await disk.append(path, bytes);
  await disk.sync(path);
}
