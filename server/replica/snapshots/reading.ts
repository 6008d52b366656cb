/**
 * Reading the files of snapshots, of which nothing is used unchecked.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import { type Disk, FileNotFoundError, folderOf } from "../../../cluster/runtime.ts";
import { equalBytes, getU32 } from "../../../protocol/bytes.ts";
import { DamagedSnapshotError } from "./damaged.ts";
import { PIECE_BYTES, readTrailer, type Trailer } from "./trailer.ts";

/** A file with what is known of it. */
export interface Kept extends Trailer {
  readonly path: string;
}

/** What is in a file; `undefined` when it is damaged and not the newest one. */
export async function openSnapshot(
  disk: Disk,
  path: string,
  bytes: number,
  isNewest: boolean,
): Promise<Kept | undefined> {
  try {
    const kept = { path, ...await readTrailer(disk, path, bytes) };
    if (path.slice(path.lastIndexOf("/") + 1) !== nameOf(kept.meta)) {
      throw new DamagedSnapshotError(path, `it is '${nameOf(kept.meta)}'`);
    }
    const pieces = isNewest ? Math.ceil(kept.meta.size / PIECE_BYTES) : 0;
    for (let piece = 0; piece < pieces; piece++) await readPiece(disk, kept, piece);
    return kept;
  } catch (error) {
    if (!isNewest && error instanceof DamagedSnapshotError) return undefined;
    throw error;
  }
}

/** Reads what stands at the end of a file again, and each piece before it. */
export async function checkSnapshot(disk: Disk, kept: Kept, isOver: () => boolean): Promise<void> {
  const { path, meta: { size }, sums } = kept;
  const entries = await disk.list(folderOf(path));
  const name = path.slice(path.lastIndexOf("/") + 1);
  const bytes = entries.find((entry) => entry.name === name)?.bytes;
  if (bytes === undefined) throw new FileNotFoundError(path);
  const trailer = await readTrailer(disk, path, bytes);
  if (!isSame(trailer.meta, kept.meta) || !equalBytes(trailer.sums, sums)) {
    throw new DamagedSnapshotError(path, "its end is another one");
  }
  for (let piece = 0; piece * PIECE_BYTES < size && !isOver(); piece++) {
    await readPiece(disk, kept, piece);
  }
}

/** A piece of the dump in a file. Rejects with a {@linkcode DamagedSnapshotError} when it is not what was written. */
export async function readPiece(
  disk: Disk,
  { path, meta, sums }: Kept,
  piece: number,
): Promise<Uint8Array> {
  const from = piece * PIECE_BYTES;
  const wanted = Math.min(PIECE_BYTES, meta.size - from);
  const bytes = await disk.read(path, from, wanted);
  if (bytes.length === wanted && crc32(bytes) === getU32(sums, 4 * piece)) return bytes;
  throw new DamagedSnapshotError(path, `wrong checksum of the ${wanted} bytes from ${from} on`);
}

/** The name of the file of a snapshot. */
export function nameOf({ index, term }: SnapshotMeta): string {
  return `${String(index).padStart(16, "0")}-${String(term).padStart(16, "0")}.snapshot`;
}

/** Whether two are the same snapshot. */
export function isSame(a: SnapshotMeta, b: SnapshotMeta): boolean {
  return a.index === b.index && a.term === b.term && a.size === b.size && a.hash === b.hash;
}
