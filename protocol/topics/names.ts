/**
 * Names of topics and of their partitions.
 *
 * @module
 */

import { MAX_NAME_BYTES } from "./limits.ts";

/** Whether a topic may have this name: 1 to 249 of the characters A-Z, a-z, 0-9, `.`, `_` and `-`, but neither `.` nor `..`. */
export function isTopicName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && /^[A-Za-z0-9._-]+$/.test(name) && name !== "." &&
    name !== "..";
}

/** Names a partition. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
}
