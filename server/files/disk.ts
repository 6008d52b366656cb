/**
 * The real disk: files below a folder, through calls for which the event loop does not wait, but for one that only copies bytes.
 *
 * @module
 */

import {
  type Disk,
  type DiskEntry,
  DiskFullError,
  DiskRefusedError,
  FileNotFoundError,
  folderOf,
} from "../../cluster/runtime.ts";
import { Lanes } from "./lanes.ts";

/** Most files that are held open. Each takes up to three handles, and a process often has 1,024. */
const MAX_OPEN_FILES = 64;

/**
 * So many bytes are written by the event loop itself. The kernel only copies them, in 5 us where a thread's turn takes 60; it is
 * the sync that waits for a disk.
 */
const SHORT_BYTES = 16 * 1024;

/** Only the owner looks into new folders. */
const FOLDER_MODE = 0o700;

/** The disk, or this user's quota, is full. */
const FULL = ["ENOSPC", "EDQUOT"];

/** What a folder says when only the file in it may be changed: a mounted file is busy. */
const REFUSALS = ["EACCES", "EPERM", "EBUSY"];

/** What file systems say that cannot sync a folder; their names last by other means, or not at all. */
const UNSYNCABLE = ["EINVAL", "ENOTSUP", "ENOSYS"];

/** How files are made. */
export interface FileDiskOptions {
  /** Mode of new files, less the umask. Default 0600. */
  readonly mode?: number;
  /** Whether a file that is renamed to the name of another takes on its mode. Default false. */
  readonly keepsMode?: boolean;
}

/** The handles of a file. Writing and reading do not wait for each other. */
interface OpenFile {
  appender?: Deno.FsFile | undefined;
  writer?: Deno.FsFile | undefined;
  reader?: Deno.FsFile | undefined;
}

/** The files below a folder that is there. To be closed when it is no longer used. */
export class FileDisk implements Disk, AsyncDisposable {
  readonly #root: string;
  readonly #mode: number;
  readonly #keepsMode: boolean;
  readonly #lanes = new Lanes();
  /** The one used longest ago comes first. */
  readonly #open = new Map<string, OpenFile>();

  constructor(root: string, options: FileDiskOptions = {}) {
    const { mode = 0o600, keepsMode = false } = options;
    this.#root = root;
    this.#mode = mode;
    this.#keepsMode = keepsMode;
  }

  /** See {@linkcode Disk.append}. */
  append(path: string, bytes: Uint8Array): Promise<void> {
    return this.#writing(path, () => {
      const file = this.#file(path);
      if (file.appender !== undefined) return writeAll(file.appender, bytes);
      return this.#openToAppend(path).then((opened) => writeAll(file.appender = opened, bytes));
    });
  }

  /** See {@linkcode Disk.write}. */
  write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#writing(path, () => {
      const file = this.#file(path);
      const put = (writer: Deno.FsFile) => {
        const size = writer.seekSync(0, Deno.SeekMode.End);
        if (position > size) {
          throw new RangeError(`Position ${position} is beyond the ${size} bytes of '${path}'`);
        }
        writer.seekSync(position, Deno.SeekMode.Start);
        return writeAll(writer, bytes);
      };
      if (file.writer !== undefined) return put(file.writer);
      return Deno.open(this.#full(path), { write: true }).then((opened) =>
        put(file.writer = opened)
      );
    });
  }

  /** See {@linkcode Disk.sync}. Where the system cannot sync a folder, nothing is done for it. */
  sync(path: string): Promise<void> {
    return this.#writing(path, () => {
      const { writer, appender = writer } = this.#open.get(path) ?? {};
      return appender === undefined ? syncClosed(this.#full(path)) : appender.syncData();
    });
  }

  /** See {@linkcode Disk.read}. */
  read(path: string, position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#run(path, [readsOf(path)], async () => {
      // A read of no byte would be tried again for ever, and the event loop never turn.
      if (into !== undefined && into.length < length) {
        throw new RangeError(`Expected room for ${length} bytes, got ${into.length}`);
      }
      const file = this.#file(path);
      file.reader ??= await Deno.open(this.#full(path));
      // It only sets a number, and would cost a thread's turn otherwise.
      file.reader.seekSync(position, Deno.SeekMode.Start);
      const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
      for (let filled = 0; filled < length;) {
        const count = await file.reader.read(bytes.subarray(filled));
        if (count === null) return into ? bytes.subarray(0, filled) : bytes.slice(0, filled);
        filled += count;
      }
      return bytes;
    });
  }

  /** See {@linkcode Disk.truncate}. */
  truncate(path: string, length: number): Promise<void> {
    return this.#writing(path, async () => {
      const { size } = await Deno.stat(this.#full(path));
      if (length > size) {
        throw new RangeError(`Length ${length} is beyond the ${size} bytes of '${path}'`);
      }
      await Deno.truncate(this.#full(path), length);
    });
  }

  /** See {@linkcode Disk.rename}. */
  rename(from: string, to: string): Promise<void> {
    return this.#alone([from, to], async () => {
      if (folderOf(from) !== folderOf(to)) {
        throw new RangeError(`'${to}' is not in the folder of '${from}'`);
      }
      const mode = this.#keepsMode ? await modeOf(this.#full(to)) : null;
      if (mode !== null) await Deno.chmod(this.#full(from), mode);
      await Deno.rename(this.#full(from), this.#full(to));
    });
  }

  /** See {@linkcode Disk.list}. What is neither file nor folder is left out. */
  list(folder: string): Promise<DiskEntry[]> {
    return this.#run(folder, [], async () => {
      const entries = await Array.fromAsync(Deno.readDir(this.#full(folder)), async ({ name }) => {
        // Gone meanwhile, or a link to nothing.
        const info = await Deno.stat(`${this.#full(folder)}/${name}`).catch(() => undefined);
        if (info?.isDirectory) return { name, kind: "folder", bytes: 0 } as const;
        return info?.isFile ? { name, kind: "file", bytes: info.size } as const : undefined;
      });
      return entries.filter((entry) => entry !== undefined)
        .sort((a, b) => a.name < b.name ? -1 : 1);
    });
  }

  /** See {@linkcode Disk.remove}. */
  remove(path: string): Promise<void> {
    return this.#alone([path], () => Deno.remove(this.#full(path)));
  }

  /** Waits for what is under way and closes every file. */
  async close(): Promise<void> {
    await this.#lanes.idle();
    for (const path of this.#open.keys()) this.#close(path);
  }

  /** Same as {@linkcode FileDisk.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #full(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }

  #writing<T>(path: string, work: () => T | Promise<T>): Promise<T> {
    return this.#run(path, [writesOf(path)], work);
  }

  /** Does `work` when nothing else is done to these files, and none is open. */
  #alone<T>(paths: readonly [string, ...string[]], work: () => Promise<T>): Promise<T> {
    const lanes = paths.flatMap((path) => [writesOf(path), readsOf(path)]);
    return this.#run(paths[0], lanes, () => {
      for (const path of paths) this.#close(path);
      return work();
    });
  }

  #run<T>(path: string, lanes: readonly string[], work: () => T | Promise<T>): Promise<T> {
    return this.#lanes.run(lanes, work).catch((error) => {
      throw diskError(path, error);
    });
  }

  /** The handles of a file, which is now the one used last. */
  #file(path: string): OpenFile {
    const file = this.#open.get(path) ?? {};
    this.#open.delete(path);
    this.#open.set(path, file);
    if (this.#open.size > MAX_OPEN_FILES) this.#closeIdle(path);
    return file;
  }

  #closeIdle(but: string): void {
    for (const path of this.#open.keys()) {
      if (path === but || this.#lanes.isBusy(writesOf(path)) || this.#lanes.isBusy(readsOf(path))) {
        continue;
      }
      this.#close(path);
      if (this.#open.size <= MAX_OPEN_FILES) return;
    }
  }

  #close(path: string): void {
    const { appender, writer, reader } = this.#open.get(path) ?? {};
    for (const file of [appender, writer, reader]) file?.close();
    this.#open.delete(path);
  }

  async #openToAppend(path: string): Promise<Deno.FsFile> {
    const options = { append: true, create: true, mode: this.#mode };
    const open = () => Deno.open(this.#full(path), options);
    try {
      return await open();
    } catch (error) {
      const folder = folderOf(path);
      if (folder === "" || codeOf(error) !== "ENOENT") throw error;
      await Deno.mkdir(this.#full(folder), { recursive: true, mode: FOLDER_MODE });
      return await open();
    }
  }
}

/** Writes all of it where the file stands; what is short at once. */
function writeAll(file: Deno.FsFile, bytes: Uint8Array): void | Promise<void> {
  if (bytes.length > SHORT_BYTES) {
    return file.write(bytes).then((written) => writeAll(file, bytes.subarray(written)));
  }
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
}

function writesOf(path: string): string {
  return `w ${path}`;
}

function readsOf(path: string): string {
  return `r ${path}`;
}

async function syncClosed(path: string): Promise<void> {
  const { isDirectory } = await Deno.stat(path);
  if (isDirectory) return await syncFolder(path);
  using file = await Deno.open(path, { write: true });
  await file.syncData();
}

async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync().catch((error) => {
    if (!UNSYNCABLE.includes(codeOf(error))) throw error;
  });
}

/** `null` when there is no such file, or no modes on this system. */
async function modeOf(path: string): Promise<number | null> {
  // There need not be such a file.
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.mode == null ? null : info.mode & 0o777;
}

/** The error of the system as one that a caller of {@linkcode Disk} knows. */
function diskError(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === "ENOENT") return new FileNotFoundError(path, error);
  if (FULL.includes(code)) return new DiskFullError(path, error);
  if (REFUSALS.includes(code) || error instanceof Deno.errors.NotCapable) {
    return new DiskRefusedError(path, error);
  }
  return error;
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
