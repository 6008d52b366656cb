/**
 * SET: gives a node a value.
 *
 * @module
 */

import { type Command, encodeCall } from "../module.ts";
import type { Failure } from "../result.ts";
import { readBytes } from "../strict.ts";
import { conditionFailed, readRevision, readTarget, type Target } from "./conditions.ts";
import { KV, putValue, rowRevision, rowText, valueKey } from "./rows.ts";
import { BAD_VALUE, MAX_VALUE_TEXT_BYTES, VALUE_TOO_LARGE } from "./value.ts";

/** Number of the command. */
export const SET = 1;

/** When and how a value is set. */
export interface SetOptions {
  /** Only if the node has no value. */
  readonly nx?: boolean;
  /** Only if the node has a value. */
  readonly xx?: boolean;
  /** Only if the last change of the node was this one; 0: only if it has no value. */
  readonly ifRev?: number;
  /** The result is to be the value before, `null` without one. */
  readonly get?: boolean;
}

interface Arguments extends Target {
  readonly ifRev: number | undefined;
  readonly text: Uint8Array;
}

const VERSION = 1;
const NX = 1;
const XX = 2;
const IF_REV = 4;
const GET = 8;

const encoder = new TextEncoder();
const OK = encoder.encode('"OK"');
const NULL = encoder.encode("null");

/** Both conditions at once never hold. */
const BAD_CONDITIONS: Failure = { ok: false, code: 422, reason: "INVALID", field: "nx" };

/** The command that sets the value at a path to a text of JSON. Its result is `"OK"` or the value before. */
export function setCommand(
  path: Uint8Array,
  text: Uint8Array,
  { nx, xx, ifRev, get }: SetOptions = {},
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, SET, (writer) => {
    writer.bytes(path);
    writer.uint(
      (nx ? NX : 0) | (xx ? XX : 0) | (ifRev === undefined ? 0 : IF_REV) | (get ? GET : 0),
    );
    if (ifRev !== undefined) writer.uint(ifRev);
    writer.bytes(text);
  });
}

/** The command. */
export const set: Command<Arguments> = {
  since: VERSION,
  read(reader) {
    const { path, flags } = readTarget(reader, NX | XX | IF_REV | GET);
    const ifRev = readRevision(reader, (flags & IF_REV) !== 0);
    return { path, flags, ifRev, text: readBytes(reader) };
  },
  apply(state, _context, { path, flags, ifRev, text }) {
    const key = valueKey(state, path);
    if (!(key instanceof Uint8Array)) return key;
    if (text.length === 0) return BAD_VALUE;
    if (text.length > MAX_VALUE_TEXT_BYTES) return VALUE_TOO_LARGE;
    if ((flags & NX) !== 0 && (flags & XX) !== 0) return BAD_CONDITIONS;
    let body: Uint8Array = OK;
    if (flags !== 0) {
      const row = state.get(key);
      const rev = rowRevision(row);
      if ((flags & NX) !== 0 && row !== undefined) return conditionFailed(rev);
      if ((flags & XX) !== 0 && row === undefined) return conditionFailed(rev);
      if (ifRev !== undefined && ifRev !== rev) return conditionFailed(rev);
      if ((flags & GET) !== 0) body = row === undefined ? NULL : rowText(row);
    }
    return { ok: true, rev: putValue(state, key, text), body };
  },
};
