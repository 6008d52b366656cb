/**
 * Files that are there as a whole or not at all, and whose failure says which.
 *
 * @module
 */

import { type Disk, folderOf } from "../../../cluster/runtime.ts";
import { type Content, putInPlace } from "../../files/replace.ts";

/** The folder of a file that was put in its place could not be synced: nobody knows which one a restart finds. */
export class UnsyncedNameError extends Error {
  /** "UnsyncedNameError". */
  override readonly name = "UnsyncedNameError";

  /** `cause` is what went wrong. */
  constructor(path: string, cause: unknown) {
    super(`Name of '${path}' may not last`, { cause });
  }
}

/**
 * Does what `replaceFile` does. Rejects with {@linkcode UnsyncedNameError} when only the folder could not be synced, and as
 * `Disk` does when `path` is as it was: the new content was written to another file.
 */
export async function placeFile(disk: Disk, path: string, content: Content): Promise<void> {
  await putInPlace(disk, path, content, `${path}.new`);
  await disk.sync(folderOf(path)).catch((cause) => {
    throw new UnsyncedNameError(path, cause);
  });
}

/** Makes the names of a folder last, and its own, and those of the folders above it. */
export async function syncFolders(disk: Disk, folder: string): Promise<void> {
  await disk.sync(folder);
  if (folder !== "") await syncFolders(disk, folderOf(folder));
}
