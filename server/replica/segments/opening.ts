/**
 * What a start finds of the segments, and how that compares with the state.
 *
 * @module
 */

import type { SegmentId, SegmentRow } from "../../../cluster/machine/topics/segment.ts";
import { type Disk, FileNotFoundError } from "../../../cluster/runtime.ts";
import { removeIfThere } from "../../files/remove.ts";
import { pathOf, segmentOf, topicOf, UNFINISHED } from "./naming.ts";
import { Segment } from "./segment.ts";

/** Folders that are looked into at the same time. */
const AT_ONCE = 16;

/**
 * The segments in a folder, by their paths. What a crash left of files that were to take their place is removed, and so are folders
 * without any. Rejects as `Disk` does.
 */
export async function listSegments(disk: Disk, folder: string): Promise<Map<string, Segment>> {
  const found = new Map<string, Segment>();
  const entries = await disk.list(folder).catch((error) => {
    if (!(error instanceof FileNotFoundError)) throw error;
    return [];
  });
  const topics = entries.map(({ name }) => topicOf(name)).filter((topic) => topic !== undefined);
  for (let at = 0; at < topics.length; at += AT_ONCE) {
    const some = topics.slice(at, at + AT_ONCE);
    const listed = await Promise.all(some.map((topic) => listTopic(disk, folder, topic)));
    for (const segment of listed.flat()) found.set(segment.path, segment);
  }
  return found;
}

async function listTopic(disk: Disk, folder: string, topic: number): Promise<Segment[]> {
  const inside = `${folder}/${topic}`;
  const segments: Segment[] = [];
  const entries = await disk.list(inside);
  if (entries.length === 0) await disk.remove(inside);
  for (const { name, bytes } of entries) {
    const id = segmentOf(topic, name);
    if (id !== undefined) segments.push(new Segment(id, pathOf(folder, id), bytes));
    else if (name.endsWith(UNFINISHED)) await removeIfThere(disk, `${inside}/${name}`);
  }
  return segments;
}

/** A segment, and how many bytes the state says it has. */
export interface Compared {
  readonly segment: Segment;
  readonly bytes: number;
}

/** How segments compare with the state. */
export interface Comparison {
  /** They have more than the state says. */
  readonly longer: readonly Compared[];
  /** They have less. */
  readonly shorter: readonly Compared[];
  /** The state has none such. */
  readonly unknown: readonly Segment[];
}

/** Compares segments, by their paths, with the rows of the state; of those that are missing `begin` makes one without bytes. */
export function compare(
  segments: ReadonlyMap<string, Segment>,
  rows: Iterable<SegmentRow>,
  begin: (id: SegmentId) => Segment,
  path: (id: SegmentId) => string,
): Comparison {
  const longer: Compared[] = [];
  const shorter: Compared[] = [];
  const known = new Set<Segment>();
  for (const { segment: id, bytes } of rows) {
    const segment = segments.get(path(id)) ?? begin(id);
    known.add(segment);
    if (segment.end > bytes) longer.push({ segment, bytes });
    else if (segment.end < bytes) shorter.push({ segment, bytes });
  }
  const unknown = [...segments.values()].filter((segment) => !known.has(segment));
  return { longer, shorter, unknown };
}
