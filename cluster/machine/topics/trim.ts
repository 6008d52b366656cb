/**
 * TRIM: the first messages of a partition go. Their segments go once nothing of them is left, swept few rows at a time.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import { type Command, encodeCall } from "../module.ts";
import { readBytes, readInt, readUint } from "../strict.ts";
import { OFFSET_OUT_OF_RANGE } from "./limits.ts";
import { findPartition, NEXT_OFFSET } from "./locate.ts";
import { setDue } from "./rows/due.ts";
import { TOPICS } from "./rows/keys.ts";
import { putPartition } from "./rows/partition.ts";

/** Number of the command. */
export const TRIM = 4;

/** What is to go. */
export interface Trim {
  readonly topic: Uint8Array;
  readonly partition: number;
  /** The first offset that stays; {@linkcode NEXT_OFFSET}: nothing does. */
  readonly offset: number;
}

const VERSION = 1;
const MAX_U32 = 0xffff_ffff;

/** The command that removes the first messages of a partition. Its result, for {@linkcode decodeStart}, is what stays. */
export function trimCommand({ topic, partition, offset }: Trim): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, TRIM, (writer) => {
    writer.bytes(topic);
    writer.uint(partition);
    writer.int(offset);
  });
}

/** The first offset that is there, by the body of the result. */
export function decodeStart(body: Uint8Array): number {
  return getU64(body, 0);
}

/** The command. */
export const trim: Command<Trim> = {
  since: VERSION,
  read: (reader) => ({
    topic: readBytes(reader),
    partition: readUint(reader, 0, MAX_U32),
    offset: readInt(reader),
  }),
  apply(state, { time }, { topic: name, partition: number, offset }) {
    const partition = findPartition(state, name, number);
    if ("ok" in partition) return partition;
    if (offset < NEXT_OFFSET || offset > partition.next) return OFFSET_OUT_OF_RANGE;
    const start = offset === NEXT_OFFSET ? partition.next : offset;
    if (start > partition.start) {
      partition.start = start;
      setDue(state, partition, time);
      putPartition(state, partition);
    }
    const body = state.allocate(8);
    putU64(body, 0, partition.start);
    return { ok: true, rev: 0, body };
  },
};
