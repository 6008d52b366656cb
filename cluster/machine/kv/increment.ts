/**
 * INCR and DECR: add to the integer that a node's value is.
 *
 * @module
 */

import { type Command, encodeCall } from "../module.ts";
import type { Failure } from "../result.ts";
import { readBytes, readInt } from "../strict.ts";
import { KV, putValue, rowText, valueKey } from "./rows.ts";
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
}

const VERSION = 1;

/** The command that adds `by`, from -(2^53-1) to 2^53-1, to the value at a path, 0 without one. Its result is the sum. */
export function incrementCommand(path: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, INCREMENT, (writer) => {
    writer.bytes(path);
    writer.int(by);
  });
}

/** The command. */
export const increment: Command<Arguments> = {
  since: VERSION,
  read: (reader) => ({
    path: readBytes(reader),
    by: readInt(reader),
  }),
  apply(state, _context, { path, by }) {
    const key = valueKey(state, path);
    if (!(key instanceof Uint8Array)) return key;
    const row = state.get(key);
    const value = row === undefined ? 0 : integerOfText(rowText(row));
    if (value === undefined) return NOT_INTEGER;
    const sum = value + by;
    if (!Number.isSafeInteger(sum)) return OVERFLOW;
    const body = textOfInteger(sum);
    return { ok: true, rev: putValue(state, key, body), body };
  },
};
