/**
 * Puts a file of undamaged bytes in the place of a segment of which something is damaged, while more is appended to that.
 *
 * @module
 */

import { type Disk, folderOf } from "../../../cluster/runtime.ts";
import { removeIfThere } from "../../files/remove.ts";
import { SegmentGoneError } from "./errors.ts";
import { UNFINISHED } from "./naming.ts";
import type { Segment } from "./segment.ts";

/** Bytes that are copied at a time. */
const COPY_BYTES = 1024 * 1024;

/** What replacing needs. */
export interface ReplaceParts {
  readonly disk: Disk;
  readonly segment: Segment;
  /** How many bytes `pieces` are together. */
  readonly length: number;
  /** Whole batches, checked. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Does work while nothing is written to segments. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
  /** The segment has another file, of so many bytes. */
  readonly replaced: (length: number) => void;
  /** Whole batches of the segment as it is, checked. */
  readonly read: (position: number, most: number) => Promise<Uint8Array>;
}

/** Does it. Rejects as `pieces`, `read` and `Disk` do, and then the file is the one that it was. */
export async function replaceFile(parts: ReplaceParts): Promise<void> {
  const { disk, segment, length, pieces, alone } = parts;
  const path = segment.path + UNFINISHED;
  await removeIfThere(disk, path);
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      await disk.append(path, piece);
      bytes += piece.length;
    }
    if (bytes !== length) throw new RangeError(`Expected ${length} bytes, got ${bytes}`);
    await alone(() => exchange(parts, path));
  } catch (error) {
    // The first error tells more.
    await removeIfThere(disk, path).catch(() => {});
    throw error;
  }
}

/** The new file gets what the old one has behind it, and takes its place. */
async function exchange(
  { disk, segment, length, replaced, read }: ReplaceParts,
  path: string,
): Promise<void> {
  for (let at = length; at < segment.written;) {
    const bytes = await read(at, Math.min(COPY_BYTES, segment.written - at));
    await disk.append(path, bytes);
    at += bytes.length;
  }
  if (segment.isGone) throw new SegmentGoneError(segment.path);
  await disk.sync(path);
  await disk.rename(path, segment.path);
  await disk.sync(folderOf(path));
  // It may have been too short before.
  replaced(Math.max(length, segment.written));
}
