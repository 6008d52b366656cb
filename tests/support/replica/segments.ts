/**
 * Segments of messages without a machine: batches, and rows as the state would have them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { BATCH_HEAD_BYTES, sealBatch } from "../../../cluster/machine/topics/batch.ts";
import type {
  MessageChange,
  SegmentId,
  SegmentRow,
} from "../../../cluster/machine/topics/segment.ts";
import type { Disk } from "../../../cluster/runtime.ts";
import type { DamagedSegmentError } from "../../../server/replica/segments/errors.ts";
import {
  SegmentFiles,
  type SegmentFilesOptions,
  type SegmentState,
} from "../../../server/replica/segments/segment_files.ts";
import type { SeededRandom } from "../simulation/random.ts";

/** The folder of the segments. */
export const FOLDER = "topics";

/** A segment of the first topic. */
export function segmentAt(base: number, partition = 0, topic = 1): SegmentId {
  return { topic, partition, base };
}

/** A batch with so many bytes of messages, by chance. */
export function batchOf(random: SeededRandom, bytes: number, baseOffset = 0): Uint8Array {
  const batch = new Uint8Array(BATCH_HEAD_BYTES + bytes);
  batch.set(random.bytes(bytes), BATCH_HEAD_BYTES);
  const maxTimestamp = { high: 0, low: 0 };
  sealBatch(batch, { baseOffset, count: 1, index: 1, maxTimestamp, attributes: 0 });
  return batch;
}

/** The rows of segments. */
export class Rows implements SegmentState {
  /** How often they were made to last. */
  synced = 0;
  readonly #rows: Map<string, SegmentRow>;

  constructor(rows: Iterable<readonly [string, SegmentRow]> = []) {
    this.#rows = new Map(rows);
  }

  /** The changes of a batch that is appended to a segment. */
  append(segment: SegmentId, bytes: Uint8Array): MessageChange {
    const { bytes: position, crc } = this.row(segment) ?? { bytes: 0, crc: 0 };
    this.#rows.set(nameOf(segment), {
      segment,
      bytes: position + bytes.length,
      crc: crc32(bytes, crc),
    });
    return { kind: "append", segment, position, bytes };
  }

  /** The changes of a segment that is not needed any more. */
  drop(segment: SegmentId): MessageChange {
    this.#rows.delete(nameOf(segment));
    return { kind: "drop", segment };
  }

  /** The rows as they are now. */
  copy(): Rows {
    return new Rows(this.#rows);
  }

  row(segment: SegmentId): SegmentRow | undefined {
    return this.#rows.get(nameOf(segment));
  }

  rows(): Iterable<SegmentRow> {
    return [...this.#rows.values()];
  }

  sync(): Promise<void> {
    this.synced++;
    return Promise.resolve();
  }
}

/** Segments on a disk, and what was told of them. */
export interface OpenSegments {
  readonly files: SegmentFiles;
  readonly rows: Rows;
  readonly damages: DamagedSegmentError[];
  /** What was found to be damaged at the start. */
  readonly found: readonly SegmentId[];
}

/** Opens the segments of a disk with the rows of a state. */
export async function openSegments(
  disk: Disk,
  rows = new Rows(),
  limits: SegmentFilesOptions["limits"] = {},
): Promise<OpenSegments> {
  const damages: DamagedSegmentError[] = [];
  const files = await SegmentFiles.open({
    disk,
    folder: FOLDER,
    state: rows,
    damaged: (error) => void damages.push(error),
    failed: (error) => {
      throw error;
    },
    limits,
  });
  return { files, rows, damages, found: await files.settle(() => true) };
}

/** All that a segment has, read in whole batches. */
export async function readAll(
  files: SegmentFiles,
  segment: SegmentId,
  length = 1_000,
): Promise<Uint8Array> {
  const parts: number[] = [];
  for (let at = 0;;) {
    const bytes = await files.read(segment, at, length);
    if (bytes.length === 0) return Uint8Array.from(parts);
    for (const byte of bytes) parts.push(byte);
    at += bytes.length;
  }
}

function nameOf({ topic, partition, base }: SegmentId): string {
  return `${topic} ${partition} ${base}`;
}
