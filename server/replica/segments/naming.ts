/**
 * What the files of segments are called.
 *
 *     TOPIC/PARTITION-BASE.log       the base with 16 digits
 *     TOPIC/PARTITION-BASE.log.new   one that is to take its place
 *
 * The segments of a topic are in one folder: a name of its own for each partition would be one more to be synced.
 *
 * @module
 */

import type { SegmentId } from "../../../cluster/machine/topics/segment.ts";

const TOPIC = /^(?:0|[1-9]\d{0,15})$/;
const NAME = /^(0|[1-9]\d{0,9})-(\d{16})\.log$/;

/** What the name of a file has at its end that is not whole yet. */
export const UNFINISHED = ".new";

/** Path of the file of a segment. */
export function pathOf(folder: string, { topic, partition, base }: SegmentId): string {
  return `${folder}/${topic}/${partition}-${String(base).padStart(16, "0")}.log`;
}

/** The topic of a folder, `undefined` when it is none. */
export function topicOf(name: string): number | undefined {
  return TOPIC.test(name) ? Number(name) : undefined;
}

/** The segment of a file in the folder of its topic, `undefined` when it is none. */
export function segmentOf(topic: number, name: string): SegmentId | undefined {
  const [, partition, base] = NAME.exec(name) ?? [];
  if (partition === undefined) return undefined;
  return { topic, partition: Number(partition), base: Number(base) };
}
