/**
 * Reading a segment of the log, and telling a group that was torn by a crash from damage.
 *
 * The argument. A group is acknowledged once it is synced, and the next one is not begun before. So at any time at most the
 * last group of the last segment is not acknowledged, and it is written over zeros, or makes the file longer. Of that one a crash
 * leaves some sectors, and zeros in place of the others, or the end of the file before it; the end of a process leaves its first
 * bytes. An acknowledged group is as long as its head says, has no blank sector and ends with no zero, whichever bit of it is
 * flipped: its head has a checksum, so that a flipped length is not believed. So what is cut lacks a sector or its end, and nothing
 * follows it where its length is known, nor the head or the end of a later group where it is not; nobody can know their salt.
 * Everything else is damage. What cannot be told from a crash is a disk that loses or clears what it has synced, from within
 * one group to the end of all.
 *
 * @module
 */

import type { Disk } from "../../../cluster/runtime.ts";
import { NO_BYTES } from "../../../protocol/bytes.ts";
import { DamagedLogError } from "./errors.ts";
import {
  beginsGroup,
  type Change,
  GROUP_HEAD_BYTES,
  type GroupHead,
  groupProblem,
  MAX_FILL_BYTES,
  MAX_GROUP_BYTES,
  readGroup,
  readGroupHead,
  readSegmentHead,
  SEGMENT_HEAD_BYTES,
  type SegmentHead,
} from "./format.ts";
import { hasSectorBelow, sectorEnd } from "./sectors.ts";
import { hasLaterGroup } from "./traces.ts";

/** A file of the log. */
export interface SegmentFile {
  /** Its number. */
  readonly sequence: number;
  /** Its path on the disk. */
  readonly path: string;
  /** How long it is; once its groups were read, how much of it counts. */
  readonly bytes: number;
}

/** A file whose head was read, or written. */
export interface Segment extends SegmentFile {
  /** What its groups have in common. */
  readonly salt: number;
}

/** Digits of the number in a file's name: as many as a safe integer has. */
const DIGITS = 16;

const NAME = new RegExp(String.raw`^(\d{${DIGITS}})\.log$`);

/** The name of the file of a segment. Names sort as numbers do. */
export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(DIGITS, "0")}.log`;
}

/** The number in the name of a file, `undefined` when it is of no segment. */
export function sequenceOf(name: string): number | undefined {
  const [, digits] = NAME.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Where reading groups has ended, and what is wrong there, if anything. */
interface Read {
  readonly end: number;
  readonly problem: string | undefined;
}

/** Reads a segment through a window, so that small groups do not take a call each. */
export class SegmentReader {
  /** What is read. */
  readonly segment: SegmentFile;
  readonly #disk: Disk;
  readonly #windowBytes: number;
  #salt: number | undefined;
  #window: Uint8Array = NO_BYTES;
  #begin = 0;

  /** Nothing is read yet. `windowBytes` are read at a time, or a whole group. */
  constructor(disk: Disk, segment: SegmentFile | Segment, windowBytes: number) {
    this.#disk = disk;
    this.segment = segment;
    this.#salt = "salt" in segment ? segment.salt : undefined;
    this.#windowBytes = windowBytes;
  }

  /**
   * The head of the segment.
   *
   * @throws {DamagedLogError} when it is none
   */
  async head(): Promise<SegmentHead> {
    const { bytes, sequence } = this.segment;
    const length = Math.min(SEGMENT_HEAD_BYTES, bytes);
    const head = readSegmentHead(await this.#read(0, length), sequence);
    if (typeof head === "string") throw this.damaged(0, head);
    this.#salt = head.salt;
    return head;
  }

  /**
   * Hands over whole groups from `from` on, up to the end or until `visit` returns false. Resolves with where the last one
   * ends; when the next one is wrong, with what is wrong about it.
   *
   * @throws {DamagedLogError} when the head of the segment is to be read, and is none
   */
  groups(from: number, visit: (change: Change, at: number) => boolean): Promise<Read> {
    return this.#groups(from, (whole, head, at) => {
      const change = readGroup(whole, head);
      return typeof change === "string" ? change : visit(change, at);
    });
  }

  /**
   * Reads all of it without a look at the entries, or until `isOver`.
   *
   * @throws {DamagedLogError} when it is not what was written
   */
  async check(isOver: () => boolean): Promise<void> {
    await this.head();
    const visit = (whole: Uint8Array, head: GroupHead) => groupProblem(whole, head) ?? !isOver();
    const { end, problem } = await this.#groups(SEGMENT_HEAD_BYTES, visit);
    if (problem !== undefined) throw this.damaged(end, problem);
  }

  async #groups(
    from: number,
    visit: (whole: Uint8Array, head: GroupHead, at: number) => boolean | string,
  ): Promise<Read> {
    const { bytes } = this.segment;
    const salt = await this.#known();
    for (let at = from; at < bytes;) {
      const length = Math.min(GROUP_HEAD_BYTES, bytes - at);
      const head = readGroupHead(
        this.#held(at, length) ?? await this.#read(at, length),
        salt,
        at,
      );
      if (typeof head === "string") return { end: at, problem: head };
      if (head.bytes > bytes - at) return { end: at, problem: "File ends within a group" };
      const whole = this.#held(at, head.bytes) ?? await this.#read(at, head.bytes);
      const seen = visit(whole, head, at);
      if (typeof seen === "string") return { end: at, problem: seen };
      if (!seen) return { end: at + head.bytes, problem: undefined };
      at += head.bytes;
    }
    return { end: bytes, problem: undefined };
  }

  /** Whether the group that is to begin at `at` lacks a sector, or its end, whatever follows. */
  async lacksSector(at: number): Promise<boolean> {
    const rest = this.segment.bytes - at;
    const begin = await this.#read(at, Math.min(rest, GROUP_HEAD_BYTES));
    const head = readGroupHead(begin, await this.#known(), at);
    const isHead = typeof head !== "string";
    if (rest < (isHead ? head.bytes : GROUP_HEAD_BYTES)) return true;
    const length = isHead ? head.bytes : sectorEnd(at + GROUP_HEAD_BYTES - 1) - at;
    return hasSectorBelow(1, await this.#read(at, Math.min(rest, length)), at);
  }

  /** Whether what stands from `at` to the end of the file can be what a crash left of a last group. */
  async isTorn(at: number): Promise<boolean> {
    const rest = this.segment.bytes - at;
    if (rest > MAX_GROUP_BYTES + MAX_FILL_BYTES) return false;
    const written = await this.#withoutZeros(at) - at;
    const begin = await this.#read(at, Math.min(rest, GROUP_HEAD_BYTES));
    const head = readGroupHead(begin, await this.#known(), at);
    if (typeof head === "string") return await this.#isTornHead(at, written);
    if (written !== head.bytes) return written < head.bytes;
    return hasSectorBelow(1, await this.#read(at, head.bytes), at);
  }

  /**
   * What {@linkcode SegmentReader.isTorn} tells of a group whose head is wrong. Zeros follow `written` bytes of it, up to the end of
   * the file.
   */
  async #isTornHead(at: number, written: number): Promise<boolean> {
    const { bytes } = this.segment;
    const end = Math.min(bytes, sectorEnd(at + GROUP_HEAD_BYTES - 1));
    const first = await this.#read(at, end - at);
    const begin = first.subarray(0, Math.min(written, sectorEnd(at) - at));
    const isOwn = beginsGroup(begin, await this.#known(), at) || hasSectorBelow(1, begin, at);
    if (!isOwn || written < GROUP_HEAD_BYTES) return isOwn;
    return hasSectorBelow(1, first, at) && !await this.#isFollowed(at, at + written);
  }

  /** Whether a group that begins at `at` was followed by another one before `end`. */
  async #isFollowed(at: number, end: number): Promise<boolean> {
    const { bytes } = this.segment;
    const salt = await this.#known();
    for (let from = at; from < end; from += this.#windowBytes) {
      const length = Math.min(bytes - from, this.#windowBytes + GROUP_HEAD_BYTES - 1);
      if (hasLaterGroup(await this.#read(from, length), salt, from, at)) return true;
    }
    return false;
  }

  /** Whether there is nothing from `at` on but what was to be written over. */
  async isFill(at: number): Promise<boolean> {
    const isShort = this.segment.bytes - at <= MAX_FILL_BYTES;
    return isShort && await this.#withoutZeros(at) === at;
  }

  /** The salt of the segment. */
  async #known(): Promise<number> {
    return this.#salt ?? (await this.head()).salt;
  }

  /** Says that something is wrong at a place in the file. */
  damaged(offset: number, problem: string): DamagedLogError {
    return new DamagedLogError(this.segment.path, offset, problem);
  }

  /** Where the zeros begin that the file ends with; `at` when there is nothing else from there on. */
  async #withoutZeros(at: number): Promise<number> {
    for (let end = this.segment.bytes; end > at;) {
      const begin = Math.max(at, end - this.#windowBytes);
      const last = (await this.#read(begin, end - begin)).findLastIndex((byte) => byte !== 0);
      if (last >= 0) return begin + last + 1;
      end = begin;
    }
    return at;
  }

  #held(at: number, length: number): Uint8Array | undefined {
    const begin = at - this.#begin;
    if (begin < 0 || begin + length > this.#window.length) return undefined;
    return this.#window.subarray(begin, begin + length);
  }

  /** Moves the window. What was read through it before stays as it is. */
  async #read(at: number, length: number): Promise<Uint8Array> {
    const { path, bytes } = this.segment;
    const wanted = Math.min(Math.max(length, this.#windowBytes), bytes - at);
    this.#window = await this.#disk.read(path, at, wanted);
    this.#begin = at;
    if (this.#window.length < wanted) throw this.damaged(at, "File has become shorter");
    return this.#window.subarray(0, length);
  }
}
