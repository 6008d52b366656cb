/**
 * What a start finds of the log.
 *
 * @module
 */

import { type Entry, entryBytes } from "../../../cluster/raft/log/entry.ts";
import type { OnDisk, RestoredEntries } from "../../../cluster/raft/log/restored.ts";
import { Sizes } from "../../../cluster/raft/log/sizes.ts";
import { type Disk, FileNotFoundError, folderOf } from "../../../cluster/runtime.ts";
import { drawSalt } from "./encoding.ts";
import { type Change, encodeSegmentHead, SEGMENT_HEAD_BYTES, type SegmentHead } from "./format.ts";
import { LogIndex } from "./index.ts";
import { placeFile, syncFolders, UnsyncedNameError } from "./placing.ts";
import {
  type Segment,
  type SegmentFile,
  segmentName,
  SegmentReader,
  sequenceOf,
} from "./segment.ts";

/** Bytes that a start reads at a time. */
const WINDOW_BYTES = 1024 * 1024;

/** The log of a server as it was on the disk, where all its entries stay. */
export interface RestoredLog extends RestoredEntries {
  readonly onDisk: OnDisk;
  readonly entries: readonly [];
  /** Bytes that were cut off the end, of a write that nobody was told was done and of zeros behind it; worth a warning unless 0. */
  readonly cutBytes: number;
}

/** Files of a log, and what is in them. */
export interface OpenedLog {
  /** The files from which entries come, and the one that grows, which is the last. */
  readonly segments: readonly [...Segment[], Segment];
  /** What is where. */
  readonly index: LogIndex;
  /** What goes to the core. */
  readonly restored: RestoredLog;
}

/**
 * Reads the log in a folder, which is made when it is missing. What is read outlives a crash of the machine from here on, unless the
 * disk `isLazy`, and says that a file is synced before it is: then a crash may take any of the last groups, and leave later ones. So
 * there all is cut from the first one on that lacks a sector.
 *
 * Rejects as `Disk` does, and with `DamagedLogError`; nothing was changed then but that files of nobody are gone.
 */
export async function openLog(disk: Disk, folder: string, isLazy: boolean): Promise<OpenedLog> {
  const found = await segmentsIn(disk, folder);
  if (found.length === 0) return await beginLog(disk, folder);
  const { heads, void: outdated } = await countingHeads(disk, found);
  const entries = new Entries((heads[0] as FoundHead).head);
  const segments: Segment[] = [];
  let [cutBytes, lastGroup] = [0, SEGMENT_HEAD_BYTES];
  for (const { reader, head } of heads) {
    const { path, bytes } = reader.segment;
    entries.expect(reader, head);
    lastGroup = SEGMENT_HEAD_BYTES;
    const read = await reader.groups(SEGMENT_HEAD_BYTES, (change, at) => {
      entries.take(reader, change, at);
      lastGroup = at;
      return true;
    });
    segments.push({ ...reader.segment, bytes: read.end, salt: head.salt });
    if (read.problem === undefined) continue;
    const isLast = reader === heads.at(-1)?.reader;
    const isFill = isLast && await reader.isFill(read.end);
    const isTorn = () => isLazy ? reader.lacksSector(read.end) : reader.isTorn(read.end);
    if (!isFill && !(isLast && await isTorn())) throw reader.damaged(read.end, read.problem);
    if (!isFill) cutBytes = bytes - read.end;
    await disk.truncate(path, read.end);
  }
  const last = segments.pop() as Segment;
  // Of the last group the sync may have failed: then the system may have it in memory alone, and take it for written.
  await disk.write(
    last.path,
    lastGroup,
    await disk.read(last.path, lastGroup, last.bytes - lastGroup),
  );
  // A process that was killed may have left bytes and names that were not synced.
  await disk.sync(last.path);
  await syncFolders(disk, folder);
  for (const segment of outdated) await removeSegment(disk, segment);
  return {
    segments: [...segments, last],
    index: entries.index,
    restored: { ...entries.restored(), cutBytes },
  };
}

/** Makes a segment that holds nothing but its head and `first`. Rejects as `placeFile` does. */
export async function placeSegment(
  disk: Disk,
  folder: string,
  head: SegmentHead,
  first: Uint8Array,
): Promise<Segment> {
  const path = pathIn(folder, segmentName(head.sequence));
  await placeFile(disk, path, () => [encodeSegmentHead(head), first]);
  const { sequence, salt } = head;
  return { sequence, path, bytes: SEGMENT_HEAD_BYTES + first.length, salt };
}

/**
 * Removes a file, for good once this resolves: who removes the next one only then leaves no gap, also after a crash. Rejects with
 * {@linkcode UnsyncedNameError} when it may come back.
 */
export async function removeSegment(disk: Disk, { path }: SegmentFile): Promise<void> {
  await disk.remove(path).catch((error) => {
    if (!(error instanceof FileNotFoundError)) throw error;
  });
  await disk.sync(folderOf(path)).catch((cause) => {
    throw new UnsyncedNameError(path, cause);
  });
}

interface FoundHead {
  readonly reader: SegmentReader;
  readonly head: SegmentHead;
}

/** The segments in a folder by their numbers. What a crash left of files that were being made is removed. */
async function segmentsIn(disk: Disk, folder: string): Promise<SegmentFile[]> {
  const names = await disk.list(folder).catch((error) => {
    if (error instanceof FileNotFoundError) return [];
    throw error;
  });
  const segments: SegmentFile[] = [];
  for (const { name, kind, bytes } of names) {
    const path = pathIn(folder, name);
    const sequence = sequenceOf(name);
    if (kind === "file" && sequence !== undefined) segments.push({ sequence, path, bytes });
    else if (sequenceOf(name.replace(/\.new$/, "")) !== undefined) await disk.remove(path);
  }
  return segments;
}

async function beginLog(disk: Disk, folder: string): Promise<OpenedLog> {
  const salt = drawSalt();
  const head: SegmentHead = { sequence: 1, salt, beforeIndex: 0, beforeTerm: 0, isReset: false };
  const segment = await placeSegment(disk, folder, head, new Uint8Array(0));
  await syncFolders(disk, folder);
  const entries = new Entries({ beforeIndex: 0, beforeTerm: 0 });
  return {
    segments: [segment],
    index: entries.index,
    restored: { ...entries.restored(), cutBytes: 0 },
  };
}

/** The heads of the segments that count, in order, and the segments before them. */
async function countingHeads(
  disk: Disk,
  segments: readonly SegmentFile[],
): Promise<{ heads: FoundHead[]; void: readonly SegmentFile[] }> {
  const heads: FoundHead[] = [];
  for (let i = segments.length - 1; i >= 0; i--) {
    const reader = new SegmentReader(disk, segments[i] as SegmentFile, WINDOW_BYTES);
    const head = await reader.head();
    const next = heads[0]?.head.sequence ?? head.sequence + 1;
    if (next !== head.sequence + 1) {
      const missing = segmentName(next - 1);
      throw (heads[0] as FoundHead).reader.damaged(0, `File '${missing}' before it is missing`);
    }
    heads.unshift({ reader, head });
    if (head.isReset) return { heads, void: segments.slice(0, i) };
  }
  return { heads, void: [] };
}

/** What is to be known of entries as groups bring them and take them away. */
class Entries {
  readonly index: LogIndex;
  #sizes: Sizes;
  #configurations: Entry[] = [];

  constructor({ beforeIndex, beforeTerm }: Pick<SegmentHead, "beforeIndex" | "beforeTerm">) {
    this.index = new LogIndex(beforeIndex, beforeTerm);
    this.#sizes = new Sizes(beforeIndex);
  }

  restored(): Omit<RestoredLog, "cutBytes"> {
    const { beforeIndex, beforeTerm } = this.index;
    const onDisk = {
      terms: this.index.terms(),
      sizes: this.#sizes,
      configurations: this.#configurations,
    };
    return { beforeIndex, beforeTerm, onDisk, entries: [] };
  }

  /** A segment has to follow what there is. */
  expect(reader: SegmentReader, { beforeIndex, beforeTerm }: SegmentHead): void {
    const { lastIndex, lastTerm } = this.index;
    if (beforeIndex === lastIndex && beforeTerm === lastTerm) return;
    throw reader.damaged(
      0,
      `File follows entry ${beforeIndex} of term ${beforeTerm}, ` +
        `expected entry ${lastIndex} of term ${lastTerm}`,
    );
  }

  take(reader: SegmentReader, change: Change, at: number): void {
    const problem = this.index.problem(change);
    if (problem !== undefined) throw reader.damaged(at, problem);
    const { begin, cut, entries } = change;
    this.index.apply(change, reader.segment.sequence, at);
    if (begin !== undefined || cut !== undefined) {
      this.#configurations = this.#configurations.filter(({ index }) =>
        index > this.index.beforeIndex && index <= this.index.lastIndex - entries.length
      );
    }
    if (begin !== undefined) this.#sizes.trim(begin.index);
    if (cut?.index === this.index.beforeIndex) this.#sizes = new Sizes(cut.index);
    else if (cut !== undefined) this.#sizes.truncate(cut.index + 1);
    for (const entry of entries) {
      this.#sizes.push(entryBytes(entry));
      // Its data are a view of all that was read at once.
      if (entry.type === "configuration") {
        this.#configurations.push({ ...entry, data: entry.data.slice() });
      }
    }
  }
}

function pathIn(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
