/**
 * A file whose appends last over a crash of the machine when they have resolved: the system writes and syncs in one call, which
 * takes one way to another thread and back, where two calls take two.
 *
 * The runtime's own files cannot be opened like that, those of `node:fs` can.
 *
 * @module
 */

/** A file that is open to be appended to. */
export type AppendFile = Pick<Deno.FsFile, "write" | "sync" | "close">;

/** Whether there are such files on this system. Elsewhere the flag is missing, or says less than a sync does. */
export const HAS_SYNCED_FILES: boolean = Deno.build.os === "linux";

/**
 * Opens such a file, or makes it with `mode` less the umask. Rejects with the system's error, as its methods do; an append that
 * rejects may be in the file all the same, in part or as a whole.
 */
export async function openSynced(path: string, mode: number): Promise<AppendFile> {
  const { default: fs } = await import("node:fs");
  const { O_APPEND, O_CREAT, O_WRONLY, O_DSYNC } = fs.constants;
  const call = <T>(begin: (done: (error: Error | null, result: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) =>
      begin((error, result) => error === null ? resolve(result) : reject(error))
    );
  const flags = O_APPEND | O_CREAT | O_WRONLY | O_DSYNC;
  const file = await call<number>((done) => fs.open(path, flags, mode, done));
  return {
    write: (bytes) => call((done) => fs.write(file, bytes, 0, bytes.length, null, done)),
    sync: () => call((done) => fs.fsync(file, (error) => done(error, undefined))),
    close: () => fs.closeSync(file),
  };
}
