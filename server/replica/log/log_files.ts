/**
 * The log of a server as files, each written from its beginning to its end: one write and one sync for all that came while the
 * last one was under way.
 *
 * @module
 */

import { type Entry, entryBytes } from "../../../cluster/raft/log/entry.ts";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { LoadEntries, LogWrite } from "../../../cluster/raft/state/effects.ts";
import { type Disk, DiskFullError, FileNotFoundError } from "../../../cluster/runtime.ts";
import { concatBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { Lanes } from "../../files/lanes.ts";
import type { LogStore } from "../driver/parts.ts";
import { changeOf } from "./changes.ts";
import { DamagedLogError, LogClosedError, LogFailedError } from "./errors.ts";
import { drawSalt, encodeGroup } from "./encoding.ts";
import { MAX_FILL_BYTES, SEGMENT_HEAD_BYTES } from "./format.ts";
import { LogIndex } from "./index.ts";
import {
  type OpenedLog,
  openLog,
  placeSegment,
  removeSegment,
  type RestoredLog,
} from "./opening.ts";
import { UnsyncedNameError } from "./placing.ts";
import { type Segment, SegmentReader } from "./segment.ts";

/** Writes that wait are gathered into one group up to about so many bytes; one that is larger goes alone. */
const GATHERED_BYTES = 4 * 1024 * 1024;

/** Groups up to so many bytes have room made for those that follow; with larger ones, that would be much of what is written. */
const FILLED_BYTES = 64 * 1024;

/** Bytes that a load reads at a time. */
const LOAD_WINDOW_BYTES = 128 * 1024;

/** Largest `segmentBytes`, so that places in a file are below 2^32. */
const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;

/** How a log is kept. */
export interface LogFilesOptions {
  /** A file that has grown to so many bytes is followed by a new one, up to 1 GiB. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Whether the disk says that a file is synced before it is, see {@linkcode openLog}. Default false. */
  readonly isLazy?: boolean;
}

interface Waiting {
  readonly write: LogWrite;
  resolve(): void;
  reject(error: unknown): void;
}

/** The log on a disk. To be closed before the disk is. */
export class LogFiles implements LogStore, AsyncDisposable {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #segmentBytes: number;
  readonly #removals = new Lanes();
  /** What is on the disk. */
  #index: LogIndex;
  /** Those that do not grow any more, the oldest first. */
  #old: Segment[];
  #live: Segment;
  /** How long its file is. Zeros follow what counts. */
  #liveLength: number;
  /** Those that do not count any more, the oldest first. */
  readonly #outdated: Segment[] = [];
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  /** Why nothing can be written for good. */
  #failure: LogFailedError | LogClosedError | undefined;
  /** Why nothing can be written until {@linkcode LogFiles.recover}. */
  #full: DiskFullError | undefined;

  /** Opens the log in a folder of `disk`, which is made when it is missing. Rejects as {@linkcode openLog} does. */
  static async open(
    disk: Disk,
    folder: string,
    options: LogFilesOptions = {},
  ): Promise<{ log: LogFiles; restored: RestoredLog }> {
    const { segmentBytes = 64 * 1024 * 1024, isLazy = false } = options;
    if (!(segmentBytes <= MAX_SEGMENT_BYTES)) {
      throw new RangeError(`Segments of ${segmentBytes} bytes, at most ${MAX_SEGMENT_BYTES}`);
    }
    const { restored, ...found } = await openLog(disk, folder, isLazy);
    return { log: new LogFiles(disk, folder, segmentBytes, found), restored };
  }

  private constructor(
    disk: Disk,
    folder: string,
    segmentBytes: number,
    { segments, index }: Omit<OpenedLog, "restored">,
  ) {
    this.#disk = disk;
    this.#folder = folder;
    this.#segmentBytes = segmentBytes;
    this.#old = segments.slice(0, -1);
    this.#live = segments.at(-1) as Segment;
    this.#liveLength = this.#live.bytes;
    this.#index = index;
  }

  /** Files on the disk. */
  get segments(): number {
    return this.#old.length + 1;
  }

  /**
   * See {@linkcode LogStore.write}. A write is on the disk as a whole or not at all.
   *
   * Rejects with {@linkcode DiskFullError} when there was no room: nothing of this write is there, nor of those that were handed
   * over after it, which reject as well, and so does each until {@linkcode LogFiles.recover}. Rejects with
   * {@linkcode LogFailedError} when nobody knows, or the write does not follow what there is; so does everything from then on.
   */
  write(write: LogWrite): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.#failure ?? this.#full;
      if (refusal !== undefined) return reject(refusal);
      this.#waiting.push({ write, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /**
   * Lets writes be tried again after a {@linkcode DiskFullError}. The first has to be the first that was rejected, and the others
   * follow in their order; otherwise they do not fit.
   *
   * @throws {LogFailedError} when something else went wrong meanwhile
   */
  recover(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#full = undefined;
  }

  /**
   * See {@linkcode LogStore.load}. Rejects with `DamagedLogError` when what is read is not what was written, and as
   * {@linkcode Disk} does.
   */
  async load({ from, maxEntries, maxBytes }: Omit<LoadEntries, "to">): Promise<readonly Entry[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const entries: Entry[] = [];
    let bytes = 0;
    const take = (entry: Entry): boolean => {
      bytes += entryBytes(entry);
      if (entries.length > 0 && (entries.length >= maxEntries || bytes > maxBytes)) return false;
      entries.push(entry);
      return true;
    };
    try {
      let next: number | undefined = from;
      while (next !== undefined) next = await this.#read(next, take);
    } catch (error) {
      const isGone = error instanceof FileNotFoundError && this.#index.find(from) === undefined;
      if (!isGone) throw error;
      return [];
    }
    // Meanwhile some may have been cut off.
    const changed = entries.findIndex(({ index, term }) => this.#index.term(index) !== term);
    return changed < 0 ? entries : entries.slice(0, changed);
  }

  /** See {@linkcode LogStore.trim}. Whole files are removed, never the one that grows; what else is trimmed stays. */
  async trim(index: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (let [oldest] = this.#old; oldest !== undefined; [oldest] = this.#old) {
      const last = this.#index.lastUpTo(oldest.sequence);
      if (last > index) break;
      // Whoever loads from it finds nothing from here on.
      this.#index.trim(last);
      this.#outdated.push(...this.#old.splice(0, 1));
    }
    await this.#removeOutdated();
  }

  /**
   * Reads all files, or until `isOver`, while they are written on; returns what is wrong with each that is damaged. Rejects as
   * {@linkcode Disk} does.
   */
  async check(isOver: () => boolean): Promise<string[]> {
    const problems: string[] = [];
    for (const segment of [...this.#old, this.#live]) {
      if (isOver()) break;
      try {
        await new SegmentReader(this.#disk, segment, LOAD_WINDOW_BYTES).check(isOver);
      } catch (error) {
        const isGone = error instanceof FileNotFoundError &&
          ![...this.#old, this.#live].some(({ path }) => path === segment.path);
        if (isGone) continue;
        if (!(error instanceof DamagedLogError || error instanceof FileNotFoundError)) throw error;
        problems.push(error.message);
      }
    }
    return problems;
  }

  /** Waits for what is under way. What comes later rejects with {@linkcode LogClosedError}. */
  async close(): Promise<void> {
    await this.#running;
    this.#failure ??= new LogClosedError(`Log in '${this.#folder}' is closed`);
    await this.#removals.idle();
  }

  /** Same as {@linkcode LogFiles.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) {
      try {
        await this.#put(group.map(({ write }) => write));
      } catch (error) {
        const refusal = this.#refuse(error);
        for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(refusal);
        break;
      }
      for (const { resolve } of group) resolve();
    }
    this.#running = undefined;
  }

  #refuse(error: unknown): Error {
    if (this.#failure !== undefined) return this.#failure;
    if (error instanceof DiskFullError) return this.#full = error;
    return this.#failure = new LogFailedError(this.#folder, error);
  }

  /** The writes that wait, up to the first that does more than to append. */
  #nextGroup(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ write }, i) => {
      for (const entry of write.entries) bytes += entryBytes(entry);
      if (i === 0) return false;
      return bytes > GATHERED_BYTES || write.reset !== undefined ||
        write.truncateFrom !== undefined;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  /** Rejects with {@linkcode DiskFullError} only when nothing of them is there. */
  async #put(writes: readonly LogWrite[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const [{ reset }] = writes as readonly [LogWrite];
    if (reset?.keepSuffix === false) return await this.#putReset(writes, reset.snapshot);
    const change = changeOf(writes, this.#index);
    if (this.#live.bytes >= this.#segmentBytes) {
      const live = await this.#place(this.#index, false, () => NO_BYTES);
      this.#old.push(this.#live);
      this.#begin(live);
    }
    const { sequence, bytes, salt } = this.#live;
    const group = encodeGroup(change, salt, bytes);
    await this.#write(group, this.#fillBytes(group));
    this.#index.apply(change, sequence, bytes);
    this.#live = { ...this.#live, bytes: bytes + group.length };
  }

  /** How many zeros are to follow a group: none that a file leaves behind when it does not grow any more. */
  #fillBytes(group: Uint8Array): number {
    const end = this.#live.bytes + group.length;
    if (end <= this.#liveLength || group.length > FILLED_BYTES) return 0;
    return Math.max(0, Math.min(MAX_FILL_BYTES, this.#segmentBytes - end));
  }

  async #write(group: Uint8Array, fillBytes: number): Promise<void> {
    const { path, bytes } = this.#live;
    const written = fillBytes === 0 ? group : concatBytes([group, new Uint8Array(fillBytes)]);
    const sync = (): Promise<void> =>
      this.#disk.sync(path).catch((cause) => {
        throw new Error(`File '${path}' could not be synced`, { cause });
      });
    // The disk gets both at once: what else this turn has to do is done while it works.
    const writing = this.#disk.write(path, bytes, written);
    const [write, synced] = await Promise.allSettled([writing, sync()]);
    if (synced.status === "rejected") throw synced.reason;
    if (write.status === "fulfilled") {
      this.#liveLength = Math.max(this.#liveLength, bytes + written.length);
      return;
    }
    if (!(write.reason instanceof DiskFullError)) throw write.reason;
    await this.#disk.truncate(path, bytes).catch((cause) => {
      throw new Error(`File '${path}' could not be cut`, { cause });
    });
    this.#liveLength = bytes;
    await sync();
    if (fillBytes === 0) throw write.reason;
    await this.#write(group, 0);
  }

  #begin(live: Segment): void {
    this.#live = live;
    this.#liveLength = live.bytes;
  }

  /** The log begins anew in a file of its own, which comes into being with all of the write. */
  async #putReset(writes: readonly LogWrite[], { index, term }: SnapshotMeta): Promise<void> {
    const anew = new LogIndex(index, term);
    const change = changeOf(writes.map(({ reset: _, ...write }) => write), anew);
    const live = await this.#place(anew, true, encodeGroup.bind(undefined, change));
    anew.apply(change, live.sequence, SEGMENT_HEAD_BYTES);
    this.#outdated.push(...this.#old.splice(0), this.#live);
    this.#index = anew;
    this.#begin(live);
    await this.#removeOutdated().catch((cause) => {
      throw new Error("Files from before a snapshot could not be removed", { cause });
    });
  }

  /** The file that comes next, after what `index` has. */
  #place(
    index: LogIndex,
    isReset: boolean,
    first: (salt: number, at: number) => Uint8Array,
  ): Promise<Segment> {
    const sequence = this.#live.sequence + 1;
    const salt = drawSalt();
    const { lastIndex: beforeIndex, lastTerm: beforeTerm } = index;
    const head = { sequence, salt, beforeIndex, beforeTerm, isReset };
    return placeSegment(this.#disk, this.#folder, head, first(salt, SEGMENT_HEAD_BYTES));
  }

  #removeOutdated(): Promise<void> {
    return this.#removals.run([""], async () => {
      for (let [oldest] = this.#outdated; oldest !== undefined; [oldest] = this.#outdated) {
        await removeSegment(this.#disk, oldest);
        this.#outdated.shift();
      }
    }).catch((error) => {
      if (error instanceof UnsyncedNameError) this.#refuse(error);
      throw error;
    });
  }

  /** The entry after the last one that `take` has taken from `index` on; `undefined` when it wants, or there is, none. */
  async #read(index: number, take: (entry: Entry) => boolean): Promise<number | undefined> {
    const found = this.#index.find(index);
    const segment = [...this.#old, this.#live].find((it) => it.sequence === found?.mark.sequence);
    if (found === undefined || segment === undefined) return undefined;
    const reader = new SegmentReader(this.#disk, segment, LOAD_WINDOW_BYTES);
    const end = found.next?.first ?? this.#index.lastIndex + 1;
    let [next, wantsMore] = [index, true];
    const read = await reader.groups(found.mark.at, ({ entries }) => {
      for (const entry of entries) {
        if (entry.index < next) continue;
        wantsMore &&= entry.index < end && take(entry);
        if (!wantsMore) return false;
        next++;
      }
      return true;
    });
    if (read.problem !== undefined) throw reader.damaged(read.end, read.problem);
    if (next === index && wantsMore) {
      throw reader.damaged(found.mark.at, `Entry ${index} is not there any more`);
    }
    return next === end ? next : undefined;
  }
}
