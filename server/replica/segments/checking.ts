/**
 * Reads segments again, to see whether they are what the state says.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { SegmentId, SegmentRow } from "../../../cluster/machine/topics/segment.ts";
import { BatchError, Batches } from "./batches.ts";
import { DamagedSegmentError, SegmentGoneError } from "./errors.ts";

/** Bytes that are read at a time. */
const WINDOW_BYTES = 512 * 1024;

/** What checking needs. */
export interface CheckParts {
  readonly rows: Iterable<SegmentRow>;
  /** Whether the state still has a segment. */
  readonly isWanted: (segment: SegmentId) => boolean;
  /** Bytes of a segment. Rejects with a {@linkcode SegmentGoneError}, and with a {@linkcode DamagedSegmentError}. */
  readonly bytes: (segment: SegmentId, position: number, length: number) => Promise<Uint8Array>;
  /** Something is damaged. */
  readonly damaged: (segment: SegmentId, position: number, what: string) => DamagedSegmentError;
}

/** Reads all of them, or until `isOver`; resolves with what is wrong with each that is damaged. Rejects as the disk does. */
export async function checkSegments(parts: CheckParts, isOver: () => boolean): Promise<string[]> {
  const problems: string[] = [];
  for (const row of parts.rows) {
    if (isOver()) break;
    try {
      await checkSegment(parts, row, isOver);
    } catch (error) {
      const isDamage = error instanceof DamagedSegmentError;
      if (!isDamage && !(error instanceof SegmentGoneError)) throw error;
      if (parts.isWanted(row.segment)) problems.push(error.message);
    }
  }
  return problems;
}

async function checkSegment(
  { bytes, damaged }: CheckParts,
  { segment, bytes: size, crc }: SegmentRow,
  isOver: () => boolean,
): Promise<void> {
  const batches = new Batches();
  let [sum, at, whole] = [0, 0, 0];
  while (at < size) {
    if (isOver()) return;
    const window = await bytes(segment, at, Math.min(WINDOW_BYTES, size - at));
    if (window.length === 0) throw damaged(segment, at, "it ends");
    sum = crc32(window, sum);
    at += window.length;
    try {
      whole += batches.push(window).length;
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      throw damaged(segment, whole + error.at, error.message);
    }
  }
  if (batches.pending > 0) throw damaged(segment, whole, "the batch has no end");
  if (sum !== crc) throw damaged(segment, 0, `wrong checksum of ${size} bytes`);
}
