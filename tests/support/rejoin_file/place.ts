/**
 * A rejoin file in a test: its folder, its log, and a disk with faults.
 *
 * @module
 */

import { hostToAddr } from "../../../cluster/memberlist/mod.ts";
import {
  type Disk,
  DiskFullError,
  DiskRefusedError,
  type Logger,
} from "../../../cluster/runtime.ts";
import type { Member, MemberEvent, SerfEvent } from "../../../cluster/serf/mod.ts";
import { RejoinFile } from "../../../server/rejoin_file/rejoin_file.ts";

/** A directory, a log and what is opened in it, gone at the end of a test. */
export class Place implements AsyncDisposable {
  readonly directory: string = Deno.makeTempDirSync();
  readonly path: string = `${this.directory}/snapshot`;
  readonly logs: string[] = [];
  readonly #opened: RejoinFile[] = [];

  constructor(content?: string | Uint8Array) {
    if (typeof content === "string") Deno.writeTextFileSync(this.path, content);
    else if (content !== undefined) Deno.writeFileSync(this.path, content);
  }

  async open(
    options: { rejoinAfterLeave?: boolean; onDisk?: (disk: Disk) => Disk } = {},
  ): Promise<RejoinFile> {
    const at = (level: string) => (message: string) =>
      void this.logs.push(`[${level}] ${message.replaceAll(this.path, "PATH")}`);
    const log: Logger = {
      debug: at("DEBUG"),
      info: at("INFO"),
      warn: at("WARN"),
      error: at("ERR"),
    };
    const file = await RejoinFile.open(this.path, { rejoinAfterLeave: false, ...options, log });
    this.#opened.push(file);
    return file;
  }

  read(): string {
    return Deno.readTextFileSync(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#opened) await file.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** A member joined. */
export const joined = (name: string): SerfEvent => about("member-join", name);

/** Something happened to a member. */
export function about(type: MemberEvent["type"], name: string): SerfEvent {
  const member = { name, addr: hostToAddr("10.0.0.1"), port: 7946 } as Member;
  return { type, members: [member] };
}

/** A user event. */
export function user(ltime: bigint): SerfEvent {
  return { type: "user", ltime, name: "e", payload: null, coalesce: false };
}

/** A disk that refuses, or has no room, when it is told to. */
export class Faults {
  full = false;
  /** Whether the folder takes no other file, as when the file is mounted alone. */
  refusing = false;
  /** Whether the file can only be appended to, as with `chattr +a`. */
  appendOnly = false;
  renames = 0;
  /** Tries to write a file anew. */
  tries = 0;
  /** Bytes that were to be written. */
  bytes = 0;
  /** How many bytes still fit into the file when the disk is full; the rest of an append is lost. */
  room = 0;

  on = (disk: Disk): Disk => ({
    append: async (path, bytes) => {
      const beside = path.endsWith(".compact");
      if (beside) this.tries++;
      this.bytes += bytes.length;
      if (beside && (this.refusing || this.appendOnly)) throw new DiskRefusedError(path, busy);
      if (!this.full) return await disk.append(path, bytes);
      if (beside) throw new DiskFullError(path, noSpace);
      const part = bytes.subarray(0, this.room);
      this.room -= part.length;
      await disk.append(path, part);
      if (part.length < bytes.length) throw new DiskFullError(path, noSpace);
    },
    write: (path, position, bytes) => disk.write(path, position, bytes),
    rename: (from, to) => {
      this.renames++;
      return disk.rename(from, to);
    },
    sync: (path) => disk.sync(path),
    read: (path, position, length) => disk.read(path, position, length),
    truncate: async (path, length) => {
      if (this.appendOnly) throw new DiskRefusedError(path, busy);
      await disk.truncate(path, length);
    },
    list: (folder) => disk.list(folder),
    remove: (path) => disk.remove(path),
  });
}

/** A full disk. */
const noSpace = new Error("No space left on device (os error 28)");
/** A mounted file. */
const busy = new Error("Device or resource busy (os error 16)");
