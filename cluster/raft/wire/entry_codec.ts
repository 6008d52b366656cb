/**
 * The bytes of an entry, the same in a log file and on the way to a peer.
 *
 *     u32 CRC-32 of all that follows | u32 length of the data | u64 index | u64 term | u8 type | u56 time | data
 *
 * Integers have their highest byte first. An entry is encoded once: who gets it from a peer writes the bytes that came.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { getU32, getU64, putU32, putU64 } from "../../../protocol/bytes.ts";
import { type Entry, ENTRY_OVERHEAD_BYTES, type EntryType } from "../log/entry.ts";

/** Bytes before the data. */
export const ENTRY_HEAD_BYTES = ENTRY_OVERHEAD_BYTES;

/** Most bytes of the data of an entry that is read; the options keep what is written far below. */
export const MAX_ENTRY_DATA_BYTES = 16 * 1024 * 1024;

/** The types by their numbers, which never change. */
const TYPES: readonly EntryType[] = ["command", "no-op", "barrier", "configuration"];

/** The bytes are no entry. */
export class EntryError extends Error {
  /** "EntryError". */
  override readonly name = "EntryError";
}

/** Writes an entry at `at`, where there is room for {@linkcode ENTRY_HEAD_BYTES} and its data. Returns where it ends. */
export function putEntry(target: Uint8Array, at: number, entry: Entry): number {
  const { index, term, type, time, data } = entry;
  const end = at + ENTRY_HEAD_BYTES + data.length;
  putU32(target, at + 4, data.length);
  putU64(target, at + 8, index);
  putU64(target, at + 16, term);
  putU64(target, at + 24, time);
  target[at + 24] = TYPES.indexOf(type);
  target.set(data, at + ENTRY_HEAD_BYTES);
  putU32(target, at, crc32(target.subarray(at + 4, end)));
  return end;
}

/**
 * The entry at `at`; its data is a view.
 *
 * @throws {EntryError} when there is none, or a checksum is wrong
 */
export function readEntry(bytes: Uint8Array, at: number): Entry {
  const rest = bytes.length - at;
  if (rest < ENTRY_HEAD_BYTES) throw new EntryError(`Entry takes more than the ${rest} bytes left`);
  const length = getU32(bytes, at + 4);
  if (length > MAX_ENTRY_DATA_BYTES || rest - ENTRY_HEAD_BYTES < length) {
    throw new EntryError(`Entry claims ${length} bytes, ${rest - ENTRY_HEAD_BYTES} are left`);
  }
  const end = at + ENTRY_HEAD_BYTES + length;
  if (crc32(bytes.subarray(at + 4, end)) !== getU32(bytes, at)) {
    throw new EntryError("Entry has a wrong checksum");
  }
  const type = TYPES[bytes[at + 24] as number];
  const index = getU64(bytes, at + 8);
  const term = getU64(bytes, at + 16);
  const time = (getU32(bytes, at + 24) & 0xff_ffff) * 0x1_0000_0000 + getU32(bytes, at + 28);
  if (type === undefined || index === 0 || term === 0) throw new EntryError("Entry is none");
  if (![index, term, time].every(Number.isSafeInteger)) throw new EntryError("Entry is none");
  return { index, term, type, time, data: bytes.subarray(at + ENTRY_HEAD_BYTES, end) };
}

/**
 * All entries in `bytes`, which hold nothing else.
 *
 * @throws {EntryError} when they do
 */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const entry = readEntry(bytes, at);
    entries.push(entry);
    at += ENTRY_HEAD_BYTES + entry.data.length;
  }
  return entries;
}
