/**
 * Files that the user named: anywhere, perhaps through a link, perhaps alone in a folder that is not to be changed.
 *
 * @module
 */

import { FileDisk, type FileDiskOptions } from "./disk.ts";
import { HalfWrittenError, replaceUserFile } from "./replace.ts";

/** A file as a name on the disk of its folder. */
export interface UserFile {
  /** The folder. To be closed. */
  readonly disk: FileDisk;
  /** The name in it. */
  readonly name: string;
}

/** The file that `path` means, links followed. It need not be there. */
export async function userFile(path: string, options: FileDiskOptions): Promise<UserFile> {
  const { basename, dirname } = await import("node:path");
  // What is not there yet is no link.
  const target = await Deno.realPath(path).catch(() => path);
  return { disk: new FileDisk(dirname(target), options), name: basename(target) };
}

/**
 * Replaces a file by one that holds `text`. Rejects as {@linkcode replaceUserFile} does; a file that had to be written in
 * place gets its old content back then, if that can be written.
 */
export async function replaceText(
  path: string,
  text: string,
  options: FileDiskOptions = {},
): Promise<void> {
  const { disk, name } = await userFile(path, options);
  await using _ = disk;
  // Nobody who may write to the folder can be there first.
  const fresh = `.skein-${crypto.randomUUID()}`;
  // There need not be such a file.
  const before = await Deno.readFile(path).catch(() => undefined);
  try {
    await replaceUserFile(disk, name, () => [new TextEncoder().encode(text)], fresh);
  } catch (error) {
    if (error instanceof HalfWrittenError && before !== undefined) {
      await restore(disk, name, before);
    }
    throw error;
  }
}

async function restore(disk: FileDisk, name: string, content: Uint8Array): Promise<void> {
  try {
    await disk.truncate(name, 0);
    await disk.append(name, content);
    await disk.sync(name);
  } catch {
    // Whoever replaces the file gets the error of that.
  }
}
