/**
 * The state as one stream of bytes, for snapshots: equal states give equal bytes.
 *
 *     block    u32 length | u32 CRC-32 of the payload | payload
 *     first    0 | magic | u64 index of the last applied entry | u64 format of the state
 *     rows     1 | rows: u16 length of the key | u32 length of the value | key | value
 *     last     2 | u64 number of rows
 *
 * Rows are in the order of their keys. A block takes as many as fit into {@linkcode BLOCK_BYTES}, and at least one. All integers
 * have their highest byte first. The whole has a SHA-256, which Raft's snapshot carries beside it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { putU32, putU64 } from "../../protocol/bytes.ts";
import { MAX_VALUE_BYTES, type Row, type StoreReader } from "./store/store.ts";
import { keyAfter, MAX_KEY_BYTES } from "./store/tuple.ts";
import { readContext } from "./sys/context.ts";

/** What the dump of the machine begins with. */
export const MAGIC: Uint8Array = new TextEncoder().encode("skein machine 1\n");

/** Payload of a block of several rows, at most, in bytes: about 100 microseconds of work (measured with values of 100 bytes). */
export const BLOCK_BYTES = 64 * 1024;

/** Length and checksum of a block. */
export const BLOCK_HEAD_BYTES = 8;

/** Lengths of a row. */
export const ROW_HEAD_BYTES = 6;

/** Longest payload: one row of the longest key and value. */
export const MAX_PAYLOAD_BYTES = 1 + ROW_HEAD_BYTES + MAX_KEY_BYTES + MAX_VALUE_BYTES;

/** What a block holds: its payload's first byte. */
export const BLOCK_KIND = { first: 0, rows: 1, last: 2 } as const;

/** What is known of a dump once all of it was made. */
export interface DumpSummary {
  /** Index of the last entry that its state has applied. */
  readonly index: number;
  /** Length of the whole, in bytes. */
  readonly size: number;
  /** SHA-256 of the whole, in hex. */
  readonly hash: string;
}

/**
 * The blocks of the dump of a view, one after each call of `next`, and at the end what they were. Each block belongs to the
 * caller. Between calls the store may go on: the view stays.
 */
export function* dump(view: StoreReader): Generator<Uint8Array<ArrayBuffer>, DumpSummary> {
  const hash = createHash("sha256");
  const { index, format } = readContext(view);
  let size = 0;
  const sealed = (block: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    putU32(block, 0, block.length - BLOCK_HEAD_BYTES);
    putU32(block, 4, crc32(block.subarray(BLOCK_HEAD_BYTES)));
    hash.update(block);
    size += block.length;
    return block;
  };

  const first = newBlock(BLOCK_KIND.first, MAGIC.length + 16);
  first.set(MAGIC, BLOCK_HEAD_BYTES + 1);
  putU64(first, first.length - 16, index);
  putU64(first, first.length - 8, format);
  yield sealed(first);

  let count = 0;
  let rows: Row[] = [];
  let bytes = 1;
  for (const row of rowsOf(view)) {
    const rowBytes = ROW_HEAD_BYTES + row.key.length + row.value.length;
    if (rows.length > 0 && bytes + rowBytes > BLOCK_BYTES) {
      yield sealed(blockOf(rows, bytes));
      rows = [];
      bytes = 1;
    }
    rows.push(row);
    bytes += rowBytes;
    count++;
  }
  if (rows.length > 0) yield sealed(blockOf(rows, bytes));

  const last = newBlock(BLOCK_KIND.last, 8);
  putU64(last, last.length - 8, count);
  yield sealed(last);
  return { index, size, hash: hash.digest("hex") };
}

/** All rows in order, read in pages of about a quarter of a block, so that a block takes little more than what is in it. */
function* rowsOf(view: StoreReader): Generator<Row> {
  let from: Uint8Array = new Uint8Array();
  let limit = 16;
  while (true) {
    const page = view.range(from, undefined, limit);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    from = keyAfter(last.key);
    const bytes = page.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    limit = Math.max(1, Math.min(1_024, Math.floor(BLOCK_BYTES / 4 * limit / bytes)));
  }
}

/** A block with room for its head, and its kind written. */
function newBlock(kind: number, bytes: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_HEAD_BYTES + 1 + bytes);
  block[BLOCK_HEAD_BYTES] = kind;
  return block;
}

/** The block of rows whose payload takes `bytes`. */
function blockOf(rows: readonly Row[], bytes: number): Uint8Array<ArrayBuffer> {
  const block = newBlock(BLOCK_KIND.rows, bytes - 1);
  let at = BLOCK_HEAD_BYTES + 1;
  for (const { key, value } of rows) {
    block[at] = key.length >>> 8;
    block[at + 1] = key.length;
    putU32(block, at + 2, value.length);
    block.set(key, at + ROW_HEAD_BYTES);
    block.set(value, at + ROW_HEAD_BYTES + key.length);
    at += ROW_HEAD_BYTES + key.length + value.length;
  }
  return block;
}
