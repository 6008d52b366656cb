/**
 * Traces of a later group: its head or its end, as they can only stand where such a group is. What is written of a group looks like
 * neither, so that they tell a group that was torn from one that others have followed.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { getU32 } from "../../../protocol/bytes.ts";
import { beginsGroup, GROUP_END, GROUP_HEAD_BYTES, groupPlace, readGroupHead } from "./format.ts";

/** Bytes of a group's place that all groups of a segment have. */
const COMMON_BYTES = 12;

/** Bytes of the place at the end of a group. */
const PLACE_BYTES = 4;

/**
 * Whether `bytes`, which stand from `from` on in the segment of that number, have a whole head or the end of a group that begins
 * after `at`.
 */
export function hasLaterGroup(
  bytes: Uint8Array,
  sequence: number,
  from: number,
  at: number,
): boolean {
  const isHead = (i: number): boolean => {
    const head = bytes.subarray(i, i + GROUP_HEAD_BYTES);
    return from + i > at && beginsGroup(head, sequence, from + i) &&
      typeof readGroupHead(head, sequence, from + i) !== "string";
  };
  const isEnd = (i: number): boolean => {
    const begin = i < PLACE_BYTES ? 0 : getU32(bytes, i - PLACE_BYTES);
    return begin > at && begin < from + i;
  };
  return occurs(bytes, groupPlace(sequence, 0).subarray(0, COMMON_BYTES), isHead) ||
    occurs(bytes, GROUP_END, isEnd);
}

function occurs(bytes: Uint8Array, what: Uint8Array, counts: (i: number) => boolean): boolean {
  const searched = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = searched.indexOf(what); i >= 0; i = searched.indexOf(what, i + 1)) {
    if (counts(i)) return true;
  }
  return false;
}
