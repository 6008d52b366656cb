/**
 * Traces of a later group: its head or its end, which only a group of the same segment has.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { getU32 } from "../../../protocol/bytes.ts";
import { beginsGroup, GROUP_HEAD_BYTES, groupPlace, groupTail, readGroupHead } from "./format.ts";

/**
 * Whether `bytes`, which stand from `from` on in the segment of that salt, have a whole head or the end of a group that begins after
 * `at`.
 */
export function hasLaterGroup(bytes: Uint8Array, salt: number, from: number, at: number): boolean {
  const isHead = (i: number): boolean => {
    const head = bytes.subarray(i, i + GROUP_HEAD_BYTES);
    return from + i > at && beginsGroup(head, salt, from + i) &&
      typeof readGroupHead(head, salt, from + i) !== "string";
  };
  const isEnd = (i: number): boolean => i >= 4 && getU32(bytes, i - 4) > at;
  // All but where a group stands.
  const begin = groupPlace(salt, 0);
  return occurs(bytes, begin.subarray(0, 12), isHead) ||
    occurs(bytes, groupTail(begin).subarray(4), isEnd);
}

function occurs(bytes: Uint8Array, what: Uint8Array, counts: (i: number) => boolean): boolean {
  const searched = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = searched.indexOf(what); i >= 0; i = searched.indexOf(what, i + 1)) {
    if (counts(i)) return true;
  }
  return false;
}
