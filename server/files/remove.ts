/**
 * Removing what may be gone already.
 *
 * @module
 */

import { type Disk, FileNotFoundError } from "../../cluster/runtime.ts";

/** Removes a file that need not be there. Rejects as `Disk` does. */
export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  await disk.remove(path).catch((error) => {
    if (!(error instanceof FileNotFoundError)) throw error;
  });
}
