/**
 * The bytes of a log file: a segment of the log.
 *
 *     segment  head | group | group | ... | zeros, up to 256 KiB
 *     head     "skeinlog" | u32 format | u32 flags | u64 sequence number | u64 index and u64 term before the first entry
 *              | u64 salt | u32 CRC-32 of all before
 *     group    u32 magic | u64 salt | u32 where in the file it begins | u32 length of the payload | u32 mask
 *              | u32 CRC-32 of the payload as it stands there | u32 CRC-32 of all before | payload
 *              | u32 where in the file it begins | u32 lower half of the salt | "end."
 *     payload  u8 flags | begin: u64 index, u64 term | cut: u64 from, u64 term before it | entries
 *
 * A group is what one sync makes last: a change of the log, as a whole or not at all. It knows its place, and the salt of its
 * segment, a number that chance has made and no client knows: bytes of another file, another time or a client are none. It is mostly
 * written over zeros, which have their room on the disk already: its sync has nothing else to write. No sector of it is blank, nor
 * becomes so by a single flipped bit: a blank one is of a group that was never whole. To that end the bits of a mask, which is 0 as
 * long as that does, are flipped in each four bytes of the payload. It ends with a byte that is not zero, nor by a single flipped
 * bit. Integers have their highest byte first; entries are as `cluster/raft/wire/entry_codec.ts` has them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { type Entry, ENTRY_OVERHEAD_BYTES } from "../../../cluster/raft/log/entry.ts";
import { decodeEntries, EntryError } from "../../../cluster/raft/wire/entry_codec.ts";
import { equalBytes, getU32, getU64, putU32, putU64 } from "../../../protocol/bytes.ts";
import { flipBits } from "./sectors.ts";

/** The format that is written, and the only one that is read. */
const LOG_FORMAT = 2;

/** Bytes before the first group of a segment. */
export const SEGMENT_HEAD_BYTES = 52;

/** Bytes of a group before its payload. */
export const GROUP_HEAD_BYTES = 32;

/** Longest payload of a group, in bytes: what a start reads into memory at once. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

const SEGMENT_MAGIC = new TextEncoder().encode("skeinlog");
const GROUP_MAGIC = 0x67727570;
const GROUP_END = new TextEncoder().encode("end.");

/** Bytes of a group after its payload. */
export const GROUP_TAIL_BYTES = 12;

/** Bytes of a group that say where it stands. */
const GROUP_PLACE_BYTES = 16;

const IS_RESET = 1;

/** Flag of a payload with a begin. */
export const HAS_BEGIN = 1;

/** Flag of a payload with a cut. */
export const HAS_CUT = 2;

/** Bytes of a begin or a cut. */
export const PAIR_BYTES = 16;

/** Longest group. */
export const MAX_GROUP_BYTES: number = GROUP_HEAD_BYTES + MAX_PAYLOAD_BYTES + GROUP_TAIL_BYTES;

/** Zeros after the last group, at most, to be written over by those that come. */
export const MAX_FILL_BYTES = 256 * 1024;

/** What a segment begins with. */
export interface SegmentHead {
  /** Segments are numbered from 1, without gaps. */
  readonly sequence: number;
  /** What its groups have in common: a safe integer that nobody can guess. */
  readonly salt: number;
  /** The last index when the segment was begun. */
  readonly beforeIndex: number;
  /** Its term. */
  readonly beforeTerm: number;
  /** Whether the log begins here: nothing of earlier segments counts. */
  readonly isReset: boolean;
}

/** A place in the log: an index and the term of the entry there. */
export interface Place {
  /** 0 before the first entry of all. */
  readonly index: number;
  /** 0 where the index is. */
  readonly term: number;
}

/** What a group changes, in this order. */
export interface Change {
  /** The log begins after this entry, which it has; what follows stays. */
  readonly begin?: Place | undefined;
  /** All after this entry goes, if it is there or not; a log that began later begins here. */
  readonly cut?: Place | undefined;
  /** These follow. */
  readonly entries: readonly Entry[];
}

/** What the head of a group tells of the rest. */
export interface GroupHead {
  /** Length of the payload. */
  readonly payloadBytes: number;
  /** What is flipped in each four bytes of it. */
  readonly mask: number;
  /** Its checksum, with that. */
  readonly checksum: number;
  /** Length of the whole group. */
  readonly bytes: number;
}

/** The head of a segment. */
export function encodeSegmentHead(head: SegmentHead): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SEGMENT_HEAD_BYTES);
  bytes.set(SEGMENT_MAGIC);
  putU32(bytes, 8, LOG_FORMAT);
  putU32(bytes, 12, head.isReset ? IS_RESET : 0);
  putU64(bytes, 16, head.sequence);
  putU64(bytes, 24, head.beforeIndex);
  putU64(bytes, 32, head.beforeTerm);
  putU64(bytes, 40, head.salt);
  putU32(bytes, 48, crc32(bytes.subarray(0, 48)));
  return bytes;
}

/** The head of a segment that is to have that number, or what is wrong with it. */
export function readSegmentHead(bytes: Uint8Array, sequence: number): SegmentHead | string {
  if (bytes.length < SEGMENT_HEAD_BYTES) return "File ends within its head";
  if (!equalBytes(bytes.subarray(0, 8), SEGMENT_MAGIC)) return "No head of a log file";
  // Another format may have another head.
  const format = getU32(bytes, 8);
  if (format !== LOG_FORMAT) return `Log has format ${format}, expected ${LOG_FORMAT}`;
  if (crc32(bytes.subarray(0, 48)) !== getU32(bytes, 48)) return "Head has a wrong checksum";
  const got = getU64(bytes, 16);
  if (got !== sequence) return `Head is of file ${got}, expected ${sequence}`;
  const [beforeIndex, beforeTerm] = [getU64(bytes, 24), getU64(bytes, 32)];
  const salt = getU64(bytes, 40);
  const flags = getU32(bytes, 12);
  if (flags > IS_RESET || !isPlace(beforeIndex, beforeTerm) || !Number.isSafeInteger(salt)) {
    return "Head is none";
  }
  return { sequence, salt, beforeIndex, beforeTerm, isReset: flags === IS_RESET };
}

/** Length of a group, in bytes. */
export function groupBytes({ begin, cut, entries }: Change): number {
  let length = GROUP_HEAD_BYTES + 1 + GROUP_TAIL_BYTES;
  if (begin !== undefined) length += PAIR_BYTES;
  if (cut !== undefined) length += PAIR_BYTES;
  for (const { data } of entries) length += ENTRY_OVERHEAD_BYTES + data.length;
  return length;
}

/** The head of a group that is to stand there, or what is wrong with it. */
export function readGroupHead(bytes: Uint8Array, salt: number, at: number): GroupHead | string {
  if (bytes.length < GROUP_HEAD_BYTES) return "File ends within the head of a group";
  if (crc32(bytes.subarray(0, 28)) !== getU32(bytes, 28)) return "Head has a wrong checksum";
  if (!beginsGroup(bytes, salt, at)) return "Group belongs elsewhere";
  const [payloadBytes, mask, checksum] = [getU32(bytes, 16), getU32(bytes, 20), getU32(bytes, 24)];
  if (payloadBytes === 0 || payloadBytes > MAX_PAYLOAD_BYTES) {
    return `Group claims ${payloadBytes} bytes`;
  }
  const length = GROUP_HEAD_BYTES + payloadBytes + GROUP_TAIL_BYTES;
  return { payloadBytes, mask, checksum, bytes: length };
}

/** Whether `bytes`, which may be fewer than a head, can be the beginning of a group there. */
export function beginsGroup(bytes: Uint8Array, salt: number, at: number): boolean {
  const length = Math.min(bytes.length, GROUP_PLACE_BYTES);
  return equalBytes(bytes.subarray(0, length), groupPlace(salt, at).subarray(0, length));
}

/** What is wrong with the bytes of a whole group, `undefined` when they are what was written. */
export function groupProblem(bytes: Uint8Array, head: GroupHead): string | undefined {
  const end = GROUP_HEAD_BYTES + head.payloadBytes;
  if (crc32(bytes.subarray(GROUP_HEAD_BYTES, end)) !== head.checksum) {
    return "Group has a wrong checksum";
  }
  return equalBytes(bytes.subarray(end), groupTail(bytes)) ? undefined : "Group has a wrong end";
}

/** What a whole group changes, or what is wrong with it. The data of entries may be views. */
export function readGroup(bytes: Uint8Array, head: GroupHead): Change | string {
  const problem = groupProblem(bytes, head);
  if (problem !== undefined) return problem;
  const payload = payloadOf(bytes, head);
  const flags = payload[0] as number;
  if (flags > (HAS_BEGIN | HAS_CUT)) return "Group is none";
  let at = 1;
  const place = (flag: number): Place | undefined => {
    if ((flags & flag) === 0) return undefined;
    at += PAIR_BYTES;
    if (at > payload.length) return { index: -1, term: -1 };
    return { index: getU64(payload, at - 16), term: getU64(payload, at - 8) };
  };
  const [begin, cut] = [place(HAS_BEGIN), place(HAS_CUT)];
  for (const it of [begin, cut]) {
    if (it !== undefined && !isPlace(it.index, it.term)) return "Group is none";
  }
  try {
    return { begin, cut, entries: decodeEntries(payload.subarray(at)) };
  } catch (error) {
    if (error instanceof EntryError) return error.message;
    throw error;
  }
}

function payloadOf(bytes: Uint8Array, { payloadBytes, mask }: GroupHead): Uint8Array {
  const payload = bytes.subarray(GROUP_HEAD_BYTES, GROUP_HEAD_BYTES + payloadBytes);
  if (mask === 0) return payload;
  const copy = payload.slice();
  flipBits(copy, mask);
  return copy;
}

/** The first bytes of a group that is to begin at `at`. */
export function groupPlace(salt: number, at: number): Uint8Array {
  const bytes = new Uint8Array(GROUP_PLACE_BYTES);
  putU32(bytes, 0, GROUP_MAGIC);
  putU64(bytes, 4, salt);
  putU32(bytes, 12, at);
  return bytes;
}

/** The last bytes of a group that begins with `bytes`. */
export function groupTail(bytes: Uint8Array): Uint8Array {
  const tail = new Uint8Array(GROUP_TAIL_BYTES);
  tail.set(bytes.subarray(12, 16));
  tail.set(bytes.subarray(8, 12), 4);
  tail.set(GROUP_END, 8);
  return tail;
}

function isPlace(index: number, term: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(term) && index >= 0 &&
    (index === 0) === (term === 0);
}
