/**
 * INCR and DECR: add to the integer that a node's value is.
 *
 * @module
 */

import { encodeCall } from "../module.ts";
import type { Failure } from "../result.ts";
import { readBytes, readInt } from "../strict.ts";
import { readTtl } from "./conditions.ts";
import { type Change, KV } from "./edit.ts";
import { dueAfter, putValue, rowDue, rowText, valueKey } from "./rows.ts";
import { integerOfText, textOfInteger } from "./value.ts";

/** Number of the command. */
export const INCREMENT = 3;

/** A value that is no integer. */
export const NOT_INTEGER: Failure = { ok: false, code: 409, reason: "NOT_INTEGER" };
/** A sum beyond ±(2^53-1). */
export const OVERFLOW: Failure = { ok: false, code: 409, reason: "OVERFLOW" };

interface Arguments {
  readonly path: Uint8Array;
  readonly by: number;
  readonly ttl: number | undefined;
}

const VERSION = 1;

/**
 * The command that adds `by`, from -(2^53-1) to 2^53-1, to the value at a path, 0 without one. Its result is the sum, which goes by
 * itself after `ttlMs`, by default when the value before was to go.
 */
export function incrementCommand(
  path: Uint8Array,
  by: number,
  ttlMs?: number,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, INCREMENT, (writer) => {
    writer.bytes(path);
    writer.int(by);
    if (ttlMs !== undefined) writer.uint(ttlMs);
  });
}

/** The command. */
export const increment: Change<Arguments> = {
  since: VERSION,
  read: (reader) => ({
    path: readBytes(reader),
    by: readInt(reader),
    ttl: reader.remaining > 0 ? readTtl(reader) : undefined,
  }),
  perform(edit, { path, by, ttl }) {
    const key = valueKey(edit.state, path);
    if (!(key instanceof Uint8Array)) return key;
    const row = edit.state.get(key);
    const value = row === undefined ? 0 : integerOfText(rowText(row));
    if (value === undefined) return NOT_INTEGER;
    const sum = value + by;
    if (!Number.isSafeInteger(sum)) return OVERFLOW;
    const body = textOfInteger(sum);
    const due = ttl === undefined ? rowDue(row) : dueAfter(edit, ttl);
    return { ok: true, rev: putValue(edit, key, row, body, due), body };
  },
};
