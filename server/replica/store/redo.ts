/**
 * Changes as bytes: what is about to be written is noted as a whole first, so that after a crash all of it can be done.
 *
 *     chunk    u32 CRC-32 of the rest | changes: u16 length of the key | u32 length of the value + 1, 0 when deleted | key | value
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { getU32, NO_BYTES, putU32 } from "../../../protocol/bytes.ts";
import type { Row } from "../../../cluster/machine/mod.ts";
import { DELETED } from "./layer.ts";

/** Bytes of a chunk, less what the last change in it takes. */
const CHUNK_BYTES = 128 * 1024;

const SUM_BYTES = 4;
const CHANGE_HEAD_BYTES = 6;

/** Changes as chunks; a deleted key has the value `DELETED`. */
export function* encodeChunks(changes: Iterable<Row>): Generator<Uint8Array> {
  let gathered: Row[] = [];
  let bytes = 0;
  for (const change of changes) {
    gathered.push(change);
    bytes += CHANGE_HEAD_BYTES + change.key.length + change.value.length;
    if (bytes < CHUNK_BYTES) continue;
    yield encodeChunk(gathered, bytes);
    gathered = [];
    bytes = 0;
  }
  if (gathered.length > 0) yield encodeChunk(gathered, bytes);
}

/** The changes of a chunk; `undefined` when it is damaged. */
export function decodeChunk(chunk: Uint8Array): Row[] | undefined {
  if (chunk.length < SUM_BYTES || crc32(chunk.subarray(SUM_BYTES)) !== getU32(chunk, 0)) {
    return undefined;
  }
  const changes: Row[] = [];
  for (let at = SUM_BYTES; at < chunk.length;) {
    if (chunk.length - at < CHANGE_HEAD_BYTES) return undefined;
    const keyAt = at + CHANGE_HEAD_BYTES;
    const valueAt = keyAt + (((chunk[at] as number) << 8) | (chunk[at + 1] as number));
    const length = getU32(chunk, at + 2) - 1;
    at = valueAt + Math.max(0, length);
    if (at > chunk.length) return undefined;
    const key = chunk.slice(keyAt, valueAt);
    const value = length < 0 ? DELETED : length === 0 ? NO_BYTES : chunk.slice(valueAt, at);
    changes.push({ key, value });
  }
  return changes;
}

function encodeChunk(changes: readonly Row[], bytes: number): Uint8Array {
  const chunk = new Uint8Array(SUM_BYTES + bytes);
  let at = SUM_BYTES;
  for (const { key, value } of changes) {
    chunk[at] = key.length >>> 8;
    chunk[at + 1] = key.length;
    putU32(chunk, at + 2, value === DELETED ? 0 : value.length + 1);
    chunk.set(key, at + CHANGE_HEAD_BYTES);
    chunk.set(value, at + CHANGE_HEAD_BYTES + key.length);
    at += CHANGE_HEAD_BYTES + key.length + value.length;
  }
  putU32(chunk, 0, crc32(chunk.subarray(SUM_BYTES)));
  return chunk;
}
