/**
 * Replacing a small file as a whole: who reads it finds the old text or the new one, also after a power cut.
 *
 * @module
 */

/** What a directory says when only the file in it may be changed: a mounted file is busy. */
const REFUSALS = ["EACCES", "EPERM", "EBUSY"];

/** How a file is replaced. */
export interface ReplaceOptions {
  /** Whether the new file has the mode of the old one. Default: only its owner may read it, as when there is no old one. */
  readonly keepsMode?: boolean;
}

/**
 * Writes `text` to a new file beside `path`, syncs it and renames it to `path`. Follows a link. Where the directory does
 * not allow that (a single file mounted into a container), an existing file is written in place. Rejects with the error of
 * the operating system.
 */
export async function replaceFile(
  path: string,
  text: string,
  { keepsMode = false }: ReplaceOptions = {},
): Promise<void> {
  // What is not there yet is no link.
  const target = await Deno.realPath(path).catch(() => path);
  const bytes = new TextEncoder().encode(text);
  try {
    await writeBeside(target, bytes, keepsMode ? await modeOf(target) : null);
  } catch (error) {
    if (!REFUSALS.includes((error as { code?: string }).code ?? "")) throw error;
    // The first refusal tells more.
    await writeInPlace(target, bytes).catch(() => {
      throw error;
    });
  }
}

async function writeBeside(
  target: string,
  bytes: Uint8Array,
  mode: number | null,
): Promise<void> {
  const { dirname } = await import("node:path");
  const folder = dirname(target);
  const fresh = await Deno.makeTempFile({ dir: folder, prefix: ".skein-" });
  try {
    using file = await Deno.open(fresh, { write: true });
    await writeAll(file, bytes);
    if (mode !== null) await Deno.chmod(fresh, mode);
    await Deno.rename(fresh, target);
  } catch (error) {
    // Why it could not be written tells more.
    await Deno.remove(fresh).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

/** `null` when there is no such file, or no modes on this system. */
async function modeOf(path: string): Promise<number | null> {
  // What cannot be looked at cannot be written either, and that is told then.
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.mode == null ? null : info.mode & 0o777;
}

async function writeInPlace(target: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(target, { write: true });
  await writeAll(file, bytes);
  await file.truncate(bytes.length);
  await file.sync();
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
  await file.sync();
}

/** The new name is on the disk, too; not every system can promise that. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using opened = await Deno.open(folder);
    await opened.sync();
  } catch { /* What matters is that the file itself is whole. */ }
}
