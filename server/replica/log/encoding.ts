/**
 * Groups as they are written.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { putEntry } from "../../../cluster/raft/wire/entry_codec.ts";
import { putU32, putU64 } from "../../../protocol/bytes.ts";
import {
  type Change,
  GROUP_HEAD_BYTES,
  groupBytes,
  groupPlace,
  groupTail,
  HAS_BEGIN,
  HAS_CUT,
  PAIR_BYTES,
} from "./format.ts";
import { flipBits, hasSectorBelow } from "./sectors.ts";

/**
 * A group that is to begin at `at` in the segment of that salt.
 *
 * Masks are drawn until one does: a sector is blank by one of them at most. Nobody who chooses what is written can know them before.
 */
export function encodeGroup(
  change: Change,
  salt: number,
  at: number,
  draw: () => number = drawMask,
): Uint8Array<ArrayBuffer> {
  const { begin, cut, entries } = change;
  const bytes = new Uint8Array(groupBytes(change));
  let end = GROUP_HEAD_BYTES;
  bytes[end++] = (begin === undefined ? 0 : HAS_BEGIN) | (cut === undefined ? 0 : HAS_CUT);
  for (const place of [begin, cut]) {
    if (place === undefined) continue;
    putU64(bytes, end, place.index);
    putU64(bytes, end + 8, place.term);
    end += PAIR_BYTES;
  }
  for (const entry of entries) end = putEntry(bytes, end, entry);
  bytes.set(groupPlace(salt, at));
  bytes.set(groupTail(bytes), end);
  const payload = bytes.subarray(GROUP_HEAD_BYTES, end);
  putU32(bytes, 16, payload.length);
  for (let mask = 0;;) {
    putU32(bytes, 20, mask);
    putU32(bytes, 24, crc32(payload));
    putU32(bytes, 28, crc32(bytes.subarray(0, 28)));
    if (!hasSectorBelow(2, bytes, at)) return bytes;
    const next = draw();
    flipBits(payload, (mask ^ next) >>> 0);
    mask = next;
  }
}

/** A salt for a new segment. */
export function drawSalt(): number {
  return (drawMask() >>> 11) * 2 ** 32 + drawMask();
}

function drawMask(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}
