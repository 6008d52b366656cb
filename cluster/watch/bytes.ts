/**
 * Changes as bytes, one after the other, as they are kept and as servers hand them on.
 *
 *     u64 revision | u8 kind | u32 key | u32 text | u32 text before, or 2^32-1 for none | key | text | text before
 *
 * The middle numbers are lengths in bytes.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../protocol/bytes.ts";
import type { ChangeKind, NodeChange } from "../machine/mod.ts";

const KINDS: readonly ChangeKind[] = ["set", "del", "expire"];
const HEAD_BYTES = 8 + 1 + 4 + 4 + 4;
const NO_TEXT = 0xffff_ffff;

/** Bytes that are no change. */
export class ChangeError extends Error {
  /** "ChangeError". */
  override readonly name = "ChangeError";
}

/** How many bytes a change takes. */
export function sizeOf({ key, text, before }: NodeChange): number {
  return HEAD_BYTES + key.length + text.length + (before?.length ?? 0);
}

/** How many bytes the change at a place takes. */
export function sizeAt(bytes: Uint8Array, at: number): number {
  const before = getU32(bytes, at + 17);
  return HEAD_BYTES + getU32(bytes, at + 9) + getU32(bytes, at + 13) +
    (before === NO_TEXT ? 0 : before);
}

/** Writes a change, for which there is room, and returns where the next one goes. */
export function putChange(bytes: Uint8Array, start: number, change: NodeChange): number {
  const { key, kind, rev, text, before } = change;
  putU64(bytes, start, rev);
  bytes[start + 8] = KINDS.indexOf(kind);
  putU32(bytes, start + 9, key.length);
  putU32(bytes, start + 13, text.length);
  putU32(bytes, start + 17, before?.length ?? NO_TEXT);
  let at = start + HEAD_BYTES;
  bytes.set(key, at);
  bytes.set(text, at += key.length);
  at += text.length;
  if (before === undefined) return at;
  bytes.set(before, at);
  return at + before.length;
}

/** The change at a place, whose bytes are views, and where the next one is. */
export function readChange(bytes: Uint8Array, at: number): { change: NodeChange; end: number } {
  const keyEnd = at + HEAD_BYTES + getU32(bytes, at + 9);
  const textEnd = keyEnd + getU32(bytes, at + 13);
  const beforeLength = getU32(bytes, at + 17);
  const end = textEnd + (beforeLength === NO_TEXT ? 0 : beforeLength);
  const change: NodeChange = {
    rev: getU64(bytes, at),
    kind: KINDS[bytes[at + 8] as number] as ChangeKind,
    key: bytes.subarray(at + HEAD_BYTES, keyEnd),
    text: bytes.subarray(keyEnd, textEnd),
    before: beforeLength === NO_TEXT ? undefined : bytes.subarray(textEnd, end),
  };
  return { change, end };
}

/**
 * All changes in bytes that somebody else has sent, as views.
 *
 * @throws {ChangeError} when they hold anything else
 */
export function changesIn(bytes: Uint8Array): NodeChange[] {
  const changes: NodeChange[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    if (
      left < HEAD_BYTES || sizeAt(bytes, at) > left || (bytes[at + 8] as number) >= KINDS.length
    ) {
      throw new ChangeError(`No change in the last ${left} bytes`);
    }
    const { change, end } = readChange(bytes, at);
    changes.push(change);
    at = end;
  }
  return changes;
}
