/**
 * Writes segments behind: what waits in memory goes into the files once there is enough of it, or when somebody wants it there.
 *
 * @module
 */

import { type Disk, DiskFullError, FileNotFoundError, folderOf } from "../../../cluster/runtime.ts";
import { DamagedSegmentError, SegmentGoneError, SegmentsFailedError } from "./errors.ts";
import type { Segment } from "./segment.ts";

/** How much may be in memory, and how much at a time goes to the disk. */
export interface WriterLimits {
  /** Bytes from which on they are written without anybody asking. Default 1 MiB. */
  readonly writeBytes: number;
  /** Bytes with which `mustWait` begins. Default 16 MiB. */
  readonly mostBytes: number;
  /** Bytes that are written until they are synced without anybody asking: a sync of many takes long. Default 16 MiB. */
  readonly syncBytes: number;
}

/** The defaults of {@linkcode WriterLimits}. */
export const DEFAULT_WRITER_LIMITS: WriterLimits = {
  writeBytes: 1024 * 1024,
  mostBytes: 16 * 1024 * 1024,
  syncBytes: 16 * 1024 * 1024,
};

/** Bytes of one append, but for one larger batch. */
const APPEND_BYTES = 1024 * 1024;

/** Files that are written, or synced, at the same time. */
const AT_ONCE = 8;

/** What the writing needs. */
export interface WriterParts {
  readonly disk: Disk;
  /** The folder of all segments. */
  readonly folder: string;
  /** Writing has failed while nobody waited. */
  readonly failed: (error: Error) => void;
  readonly limits?: Partial<WriterLimits>;
}

/** The writing of all segments. */
export class SegmentWriter {
  readonly #parts: WriterParts;
  readonly #limits: WriterLimits;
  /** Those of which something is to be written. */
  readonly #pending = new Set<Segment>();
  /** Those of which something is not synced. */
  #unsynced = new Set<Segment>();
  /** Folders whose names are not synced. */
  #newIn = new Set<string>();
  #unsyncedBytes = 0;
  #waiting = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();
  /** A flush that has not begun. */
  #nextFlush: Promise<void> | undefined;
  /** What is done that nobody waits for. */
  readonly #underWay = new Set<"write" | "sync">();
  /** Why nothing is written any more. */
  #failure: { readonly error: unknown } | undefined;
  #isClosed = false;

  /** Nothing is to be written. */
  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#limits = { ...DEFAULT_WRITER_LIMITS, ...parts.limits };
  }

  /** Whether so much waits that nothing may be added. */
  get mustWait(): boolean {
    return this.#waiting >= this.#limits.mostBytes;
  }

  /** Adds bytes to a segment, as `Segment.add` does. */
  add(segment: Segment, position: number, bytes: Uint8Array): void {
    const before = segment.waiting;
    segment.add(position, bytes);
    if (segment.waiting === before) return;
    this.#waiting += segment.waiting - before;
    this.#pending.add(segment);
    if (this.#waiting >= this.#limits.writeBytes) this.#behind("write", () => this.flush());
  }

  /** Nothing of a segment is to be written any more. */
  give(segment: Segment): void {
    segment.isGone = true;
    if (this.#pending.delete(segment)) this.#waiting -= segment.waiting;
    this.#unsynced.delete(segment);
  }

  /** Writes all that was added before. */
  flush(): Promise<void> {
    return this.#nextFlush ??= this.alone(async () => {
      this.#nextFlush = undefined;
      await inGroups([...this.#pending], (segment) => this.#write(segment));
    });
  }

  /** Makes all that was added before last. */
  sync(): Promise<void> {
    return this.#inTurn(() => this.flush().then(() => this.#sync()));
  }

  /** Does work while nothing is written, after all that was asked for before. What fails for good ends all writing. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => this.#guarded(work));
    this.#writing = done.then(() => {}, () => {});
    return done;
  }

  /** Writes what waits, and nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      if (this.#pending.size > 0 && this.#failure === undefined) await this.flush();
    } finally {
      await this.#writing;
      await this.#syncing;
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return await work();
    } catch (error) {
      if (isForGood(error)) this.#failure = { error };
      throw error;
    }
  }

  async #write(segment: Segment): Promise<void> {
    const { disk } = this.#parts;
    for (let bytes = segment.next(APPEND_BYTES); bytes !== undefined;) {
      if (segment.isGone) return;
      if (segment.isTorn) await this.#mend(segment);
      if (segment.written === 0) this.#nameNew(segment.path);
      this.#unsynced.add(segment);
      try {
        await disk.append(segment.path, bytes);
      } catch (error) {
        segment.isTorn = true;
        throw error;
      }
      if (segment.isGone) return;
      segment.wrote(bytes.length);
      this.#waiting -= bytes.length;
      this.#unsyncedBytes += bytes.length;
      bytes = segment.next(APPEND_BYTES);
    }
    this.#pending.delete(segment);
    if (this.#unsyncedBytes >= this.#limits.syncBytes) {
      this.#behind("sync", () => this.#inTurn(() => this.#sync()));
    }
  }

  /** Takes off what an append that failed has left. */
  async #mend(segment: Segment): Promise<void> {
    await this.#parts.disk.truncate(segment.path, segment.written).catch((error) => {
      if (!(error instanceof FileNotFoundError) || segment.written > 0) throw error;
    });
    segment.isTorn = false;
  }

  /** The folders above a new file may be new as well. */
  #nameNew(path: string): void {
    for (let folder = folderOf(path);; folder = folderOf(folder)) {
      this.#newIn.add(folder);
      if (folder === "") return;
    }
  }

  /** Syncs come one after the other: what one has taken on is not there before it is done. */
  #inTurn(sync: () => Promise<void>): Promise<void> {
    const synced = this.#syncing.then(sync);
    // Whoever asked hears of it.
    this.#syncing = synced.catch(() => {});
    return synced;
  }

  async #sync(): Promise<void> {
    if (this.#unsynced.size + this.#newIn.size === 0) return;
    const { disk } = this.#parts;
    const [segments, folders] = [[...this.#unsynced], [...this.#newIn]];
    this.#unsynced = new Set();
    this.#newIn = new Set();
    this.#unsyncedBytes = 0;
    const sync = (path: string, isGone = () => false): Promise<void> =>
      disk.sync(path).catch((error) => {
        if (isGone() && error instanceof FileNotFoundError) return;
        throw new SegmentsFailedError(path, error);
      });
    await this.#guarded(async () => {
      await inGroups(segments, (segment) => sync(segment.path, () => segment.isGone));
      await inGroups(folders, (folder) => sync(folder));
    });
  }

  /** What goes wrong for lack of room is tried again by who waits for it, or with what comes next. */
  #behind(what: "write" | "sync", work: () => Promise<void>): void {
    if (this.#underWay.has(what) || this.#isClosed || this.#failure !== undefined) return;
    this.#underWay.add(what);
    const done = (): unknown => this.#underWay.delete(what);
    work().then(done, (error) => {
      done();
      if (!(error instanceof DiskFullError)) this.#parts.failed(error as Error);
    });
  }
}

/** Whether nobody knows what is on the disk after that. */
function isForGood(error: unknown): boolean {
  return !(error instanceof DiskFullError || error instanceof DamagedSegmentError ||
    error instanceof SegmentGoneError);
}

/** Nothing is under way any more when it resolves or rejects: what is would be done twice. */
async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const ended = await Promise.allSettled(items.slice(at, at + AT_ONCE).map(work));
    const errors = ended.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    if (errors.length > 0) throw errors.find(isForGood) ?? errors[0];
  }
}
