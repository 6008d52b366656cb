/**
 * Who the members are, as far as a log can be read that may be damaged.
 *
 * @module
 */

import { decodeConfiguration } from "../../../cluster/raft/membership/configuration.ts";
import type { Configuration } from "../../../cluster/raft/mod.ts";
import { type Disk, FileNotFoundError } from "../../../cluster/runtime.ts";
import { DamagedLogError } from "../log/errors.ts";
import { SEGMENT_HEAD_BYTES } from "../log/format.ts";
import { SegmentReader, sequenceOf } from "../log/segment.ts";

/** Bytes that are read at a time. */
const WINDOW_BYTES = 1024 * 1024;

/** Members, and the entry that made them so. */
export interface KnownMembers {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * The newest members in the groups of a log that can be read, of each file those before its first damage; `undefined` when none
 * can. Good for a hint: newer ones may be in what cannot be read. Rejects as the disk does.
 */
export async function readableMembers(
  disk: Disk,
  folder: string,
): Promise<KnownMembers | undefined> {
  let newest: KnownMembers | undefined;
  for (const { name, kind, bytes } of await namesIn(disk, folder)) {
    const sequence = sequenceOf(name);
    if (kind !== "file" || sequence === undefined || bytes < SEGMENT_HEAD_BYTES) continue;
    const reader = new SegmentReader(
      disk,
      { sequence, path: `${folder}/${name}`, bytes },
      WINDOW_BYTES,
    );
    await reader.groups(SEGMENT_HEAD_BYTES, ({ entries }) => {
      for (const { type, index, data } of entries) {
        if (type === "configuration") newest = { index, configuration: decodeConfiguration(data) };
      }
      return true;
    }).catch(unlessDamaged);
  }
  return newest;
}

async function namesIn(disk: Disk, folder: string) {
  try {
    return await disk.list(folder);
  } catch (error) {
    if (error instanceof FileNotFoundError) return [];
    throw error;
  }
}

function unlessDamaged(error: unknown): void {
  if (!(error instanceof DamagedLogError)) throw error;
}
