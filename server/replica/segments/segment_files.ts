/**
 * The segments of messages on the disk, each a file that only grows. They know nothing of what is in them: the state does.
 *
 * What is appended is in memory first, and written behind. **Invariant: no row is on the disk before the bytes that it tells of are
 * there to stay.** So whatever a crash leaves, files have at least what the rows of the state say, and what they have besides the
 * log brings again: it is cut off at the start. Who writes rows calls {@linkcode SegmentFiles.sync} before, and what
 * {@linkcode SegmentFiles.forgettable} returns once the rows are there to stay: else a crash could bring a row back whose file is
 * gone.
 *
 * @module
 */

import { BATCH_HEAD_BYTES } from "../../../cluster/machine/topics/batch.ts";
import type {
  MessageChange,
  SegmentId,
  SegmentRow,
} from "../../../cluster/machine/topics/segment.ts";
import { type Disk, DiskFullError, FileNotFoundError } from "../../../cluster/runtime.ts";
import { NO_BYTES, putInto } from "../../../protocol/bytes.ts";
import { Lanes } from "../../files/lanes.ts";
import { removeIfThere } from "../../files/remove.ts";
import { batchAt, BatchError, wholeBatches } from "./batches.ts";
import { checkSegments } from "./checking.ts";
import { DamagedSegmentError, SegmentGoneError } from "./errors.ts";
import { pathOf } from "./naming.ts";
import { compare, type Compared, type Comparison, listSegments } from "./opening.ts";
import { replaceFile } from "./replacing.ts";
import { Segment } from "./segment.ts";
import { SegmentWriter, type WriterLimits } from "./writer.ts";

/** What the state tells of segments. */
export interface SegmentState {
  /** All of them. */
  rows(): Iterable<SegmentRow>;
  /** One of them, if it has it. */
  row(segment: SegmentId): SegmentRow | undefined;
  /** Makes the rows last over a crash. */
  sync(): Promise<void>;
}

/** How segments are opened. */
export interface SegmentFilesOptions {
  readonly disk: Disk;
  /** Their folder on it. It is made with the first message. */
  readonly folder: string;
  /** The state, as it is now. */
  readonly state: SegmentState;
  /** Something of a segment is not what was written; told once for each. */
  readonly damaged: (error: DamagedSegmentError) => void;
  /** Nothing can be written any more, and nobody knows what is on the disk. */
  readonly failed: (error: Error) => void;
  /** Other limits than the defaults. */
  readonly limits?: Partial<WriterLimits>;
}

/** The segments of a server. */
export class SegmentFiles implements AsyncDisposable {
  readonly #options: SegmentFilesOptions;
  /** By their paths. */
  readonly #segments: Map<string, Segment>;
  readonly #writer: SegmentWriter;
  readonly #replacing = new Lanes();
  /** Those of which the state has no row any more. */
  #dropped: Segment[] = [];

  private constructor(options: SegmentFilesOptions, segments: Map<string, Segment>) {
    this.#options = options;
    this.#segments = segments;
    const { disk, folder, failed, limits } = options;
    this.#writer = new SegmentWriter({ disk, folder, failed, ...limits && { limits } });
  }

  /**
   * Finds the segments of a folder, which need not be there. They can be used once {@linkcode SegmentFiles.settle} has compared them
   * with the state. Rejects as `Disk` does.
   */
  static async open(options: SegmentFilesOptions): Promise<SegmentFiles> {
    return new SegmentFiles(options, await listSegments(options.disk, options.folder));
  }

  /** How many there are. */
  get count(): number {
    return this.#segments.size;
  }

  /** Whether so much is in memory that no more may be added before a {@linkcode SegmentFiles.flush}. */
  get mustWait(): boolean {
    return this.#writer.mustWait;
  }

  /**
   * Takes what entries have done, in their order, right after the rows have changed.
   *
   * @throws {RangeError} when something does not follow what there is
   */
  take(changes: readonly MessageChange[]): void {
    for (const change of changes) {
      if (change.kind === "append") this.add(change.segment, change.position, change.bytes);
      else this.#drop(change.segment);
    }
  }

  /** Adds bytes to a segment, as {@linkcode SegmentFiles.take} does; they may be there already. */
  add(id: SegmentId, position: number, bytes: Uint8Array): void {
    const path = this.pathOf(id);
    let segment = this.#segments.get(path);
    if (segment === undefined) this.#segments.set(path, segment = new Segment(id, path));
    const { end } = segment;
    this.#writer.add(segment, position, bytes);
    if (position > end) this.#damage(segment, end, `${position - end} bytes are missing`);
  }

  /** Up to where a segment is there and, as far as is known, undamaged. */
  have(id: SegmentId): number {
    const segment = this.#segments.get(this.pathOf(id));
    return segment === undefined ? 0 : Math.min(segment.end, segment.damagedAt ?? Infinity);
  }

  /** Whether something of a segment is known to be damaged or missing. */
  isDamaged(id: SegmentId): boolean {
    return this.#segments.get(this.pathOf(id))?.damagedAt !== undefined;
  }

  /** Segments of which something is damaged or missing. */
  damaged(): SegmentId[] {
    const found = [...this.#segments.values()].filter(({ damagedAt }) => damagedAt !== undefined);
    return found.map(({ id }) => id);
  }

  /** The path of a segment on the disk, for messages. */
  pathOf(id: SegmentId): string {
    return pathOf(this.#options.folder, id);
  }

  /**
   * Whole batches from `position` on, where one begins: as many as `length` bytes hold, but at least one; none at the end of the
   * segment. Each is what was written. They are put into `into` if that is there, which has room for as many bytes as are wanted;
   * a batch that has no room is in memory of its own.
   *
   * Rejects with a {@linkcode SegmentGoneError}, with a {@linkcode DamagedSegmentError}, and as `Disk` does.
   */
  async read(
    id: SegmentId,
    position: number,
    length: number,
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    const segment = this.#segment(id);
    let bytes = await this.#bytes(segment, position, Math.max(length, BATCH_HEAD_BYTES), into);
    if (bytes.length === 0) {
      if (position >= (this.#options.state.row(id)?.bytes ?? 0)) return bytes;
      throw this.#damage(segment, position, "it ends");
    }
    try {
      const first = batchAt(bytes, 0);
      if (first > bytes.length) bytes = await this.#bytes(segment, position, first);
      const end = wholeBatches(bytes);
      if (end === 0) throw new BatchError(0, "the batch has no end");
      return bytes.subarray(0, end);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      if (segment.isGone) throw new SegmentGoneError(segment.path);
      const damage = this.#damage(segment, position + error.at, error.message);
      // Who reads on meets it.
      if (error.at > 0) return bytes.subarray(0, error.at);
      throw damage;
    }
  }

  /** At most `length` bytes of what {@linkcode SegmentFiles.have} tells of, unchecked; none where there are none. Rejects as `Disk` does. */
  async piece(id: SegmentId, position: number, length: number): Promise<Uint8Array> {
    const segment = this.#segments.get(this.pathOf(id));
    if (segment === undefined) return NO_BYTES;
    return await this.#bytes(segment, position, Math.min(length, this.have(id) - position));
  }

  /** Writes all that was added before. Rejects with `DiskFullError` when there is no room, and may be tried again then. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Makes all that was added before last over a crash. Rejects as {@linkcode SegmentFiles.flush} does. */
  sync(): Promise<void> {
    return this.#writer.sync();
  }

  /**
   * Takes the segments that the rows of the state as they are now have no more. What is returned removes them: to be called when
   * those rows are on the disk to stay. `undefined` when there is none.
   */
  forgettable(): (() => Promise<void>) | undefined {
    if (this.#dropped.length === 0) return undefined;
    const dropped = this.#dropped;
    this.#dropped = [];
    return () => this.#remove(dropped);
  }

  /**
   * Compares files and rows when all rows are others than before: at the start, and when those of a snapshot are there. What files
   * have besides goes, unless a later snapshot needs it, which `mayRemove` tells. Resolves with what is damaged now and was not
   * before. Rejects as `Disk` does.
   */
  async settle(mayRemove: () => boolean): Promise<SegmentId[]> {
    const { state, disk } = this.#options;
    await this.flush();
    const { shorter, unknown } = this.#compare();
    for (const { segment, bytes } of shorter) segment.damagedAt = Math.min(bytes, segment.end);
    if (unknown.length > 0) await state.sync();
    if (!mayRemove()) return ids(shorter);
    // All in one turn: what comes for a later snapshot from here on finds the files as they will be.
    const work: Promise<void>[] = [];
    const now = this.#compare();
    for (const { segment, bytes } of now.longer) {
      segment.cut(bytes);
      work.push(disk.truncate(segment.path, bytes));
    }
    for (const { id, path } of now.unknown) {
      this.#forget(id);
      work.push(removeIfThere(disk, path));
    }
    await Promise.all(work);
    return ids(shorter);
  }

  /**
   * Puts other bytes in the place of a segment of which something is damaged: `pieces`, whole batches of `length` bytes together,
   * and what the segment has behind them. Rejects with a {@linkcode DamagedSegmentError} when that is damaged as well, with a
   * {@linkcode SegmentGoneError}, as `Disk` does, and as the pieces do.
   */
  async replace(
    id: SegmentId,
    length: number,
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const segment = this.#segment(id);
    await this.#replacing.run([segment.path], async () => {
      // Somebody else may have done it meanwhile.
      if (this.have(id) >= length) return;
      await replaceFile({
        disk: this.#options.disk,
        segment,
        length,
        pieces,
        alone: (work) => this.#writer.alone(work),
        replaced: (bytes) => this.#writer.replaced(segment, bytes),
        read: (position, most) => this.read(id, position, most),
      });
    });
  }

  /** Reads all that the state tells of, or until `isOver`; returns what is wrong with each segment that is damaged. */
  check(isOver: () => boolean): Promise<string[]> {
    const { state } = this.#options;
    return checkSegments({
      rows: state.rows(),
      isWanted: (id) => state.row(id) !== undefined,
      bytes: (id, position, length) => this.#bytes(this.#segment(id), position, length),
      damaged: (id, position, what) => this.#damage(this.#segment(id), position, what),
    }, isOver);
  }

  /** Writes what is in memory, and ends. What finds no room is left to the log. Rejects as {@linkcode SegmentFiles.flush} does else. */
  async close(): Promise<void> {
    await this.#writer.close().catch((error) => {
      if (!(error instanceof DiskFullError)) throw error;
    });
  }

  /** Same as {@linkcode SegmentFiles.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #compare(): Comparison {
    return compare(this.#segments, this.#options.state.rows(), (id) => {
      const path = this.pathOf(id);
      const segment = new Segment(id, path);
      this.#segments.set(path, segment);
      return segment;
    }, (id) => this.pathOf(id));
  }

  #segment(id: SegmentId): Segment {
    const segment = this.#segments.get(this.pathOf(id));
    if (segment === undefined) throw new SegmentGoneError(this.pathOf(id));
    return segment;
  }

  #drop(id: SegmentId): void {
    const segment = this.#forget(id);
    if (segment !== undefined) this.#dropped.push(segment);
  }

  #forget(id: SegmentId): Segment | undefined {
    const path = this.pathOf(id);
    const segment = this.#segments.get(path);
    if (segment === undefined) return undefined;
    this.#segments.delete(path);
    this.#writer.give(segment);
    return segment;
  }

  async #remove(segments: readonly Segment[]): Promise<void> {
    for (const { path } of segments) await removeIfThere(this.#options.disk, path);
  }

  /** What there is of the bytes from `position` on, at most `length`. */
  async #bytes(
    segment: Segment,
    position: number,
    length: number,
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    const to = Math.min(position + length, segment.end);
    if (to <= position) return NO_BYTES;
    // Taken before anything is waited for: it may be in the file then.
    const { written } = segment;
    const tail = to > written ? segment.inMemory(position, to) : NO_BYTES;
    if (position >= written) return putInto(tail, into);
    const wanted = Math.min(to, written) - position;
    const head = await this.#options.disk.read(segment.path, position, wanted, into)
      .catch((error) => {
        if (!(error instanceof FileNotFoundError)) throw error;
        if (segment.isGone) throw new SegmentGoneError(segment.path);
        return NO_BYTES;
      });
    if (head.length < wanted) {
      throw this.#damage(segment, position + head.length, `it ends with ${position + head.length}`);
    }
    if (tail.length === 0) return head;
    const all = into ?? new Uint8Array(head.length + tail.length);
    all.set(head);
    all.set(tail, head.length);
    return all.subarray(0, head.length + tail.length);
  }

  #damage(segment: Segment, at: number, what: string): DamagedSegmentError {
    const error = new DamagedSegmentError(segment.path, `${what} at ${at}`);
    const isKnown = segment.damagedAt !== undefined;
    segment.damagedAt = Math.min(at, segment.damagedAt ?? Infinity);
    if (!isKnown) this.#options.damaged(error);
    return error;
  }
}

function ids(compared: readonly Compared[]): SegmentId[] {
  return compared.map(({ segment }) => segment.id);
}
