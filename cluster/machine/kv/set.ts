/**
 * SET: gives a node a value.
 *
 * @module
 */

import { encodeCall } from "../module.ts";
import type { Failure } from "../result.ts";
import { readBytes } from "../strict.ts";
import { conditionFailed, readRevision, readTarget, readTtl, type Target } from "./conditions.ts";
import { type Change, type Edit, KV } from "./edit.ts";
import {
  dueAfter,
  NEVER,
  putValue,
  rowDue,
  rowRevision,
  rowText,
  rowToReplace,
  valueKey,
} from "./rows.ts";
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
  /** It goes by itself so many milliseconds later, from 1 to `MAX_TTL_MS`. Default: it stays. */
  readonly ttlMs?: number;
  /** It goes when the value before was to go. Not with `ttlMs`. */
  readonly keepTtl?: boolean;
}

interface Arguments extends Target {
  readonly ifRev: number | undefined;
  readonly ttl: number | undefined;
  readonly text: Uint8Array;
}

const VERSION = 1;
const NX = 1;
const XX = 2;
const IF_REV = 4;
const GET = 8;
const TTL = 16;
const KEEP_TTL = 32;

const encoder = new TextEncoder();
const OK = encoder.encode('"OK"');
const NULL = encoder.encode("null");

/** Both conditions at once never hold. */
const BAD_CONDITIONS: Failure = { ok: false, code: 422, reason: "INVALID", field: "nx" };

/** A time of its own, and that of the value before. */
const BAD_TTL: Failure = { ok: false, code: 422, reason: "INVALID", field: "keep_ttl" };

/** The command that sets the value at a path to a text of JSON. Its result is `"OK"` or the value before. */
export function setCommand(
  path: Uint8Array,
  text: Uint8Array,
  { nx, xx, ifRev, get, ttlMs, keepTtl }: SetOptions = {},
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, SET, (writer) => {
    writer.bytes(path);
    writer.uint(
      (nx ? NX : 0) | (xx ? XX : 0) | (ifRev === undefined ? 0 : IF_REV) | (get ? GET : 0) |
        (ttlMs === undefined ? 0 : TTL) | (keepTtl ? KEEP_TTL : 0),
    );
    if (ifRev !== undefined) writer.uint(ifRev);
    if (ttlMs !== undefined) writer.uint(ttlMs);
    writer.bytes(text);
  });
}

/** The command. */
export const set: Change<Arguments> = {
  since: VERSION,
  read(reader) {
    const { path, flags } = readTarget(reader, NX | XX | IF_REV | GET | TTL | KEEP_TTL);
    const ifRev = readRevision(reader, (flags & IF_REV) !== 0);
    const ttl = (flags & TTL) === 0 ? undefined : readTtl(reader);
    return { path, flags, ifRev, ttl, text: readBytes(reader) };
  },
  perform(edit, args) {
    const { path, flags, ifRev, text } = args;
    const key = valueKey(edit.state, path);
    if (!(key instanceof Uint8Array)) return key;
    if (text.length === 0) return BAD_VALUE;
    if (text.length > MAX_VALUE_TEXT_BYTES) return VALUE_TOO_LARGE;
    if ((flags & NX) !== 0 && (flags & XX) !== 0) return BAD_CONDITIONS;
    if ((flags & TTL) !== 0 && (flags & KEEP_TTL) !== 0) return BAD_TTL;
    if (flags === 0) {
      return { ok: true, rev: putValue(edit, key, rowToReplace(edit, key), text), body: OK };
    }
    const row = edit.state.get(key);
    const rev = rowRevision(row);
    if ((flags & NX) !== 0 && row !== undefined) return conditionFailed(rev);
    if ((flags & XX) !== 0 && row === undefined) return conditionFailed(rev);
    if (ifRev !== undefined && ifRev !== rev) return conditionFailed(rev);
    const before = row === undefined ? NULL : rowText(row);
    const due = dueOf(edit, args, row);
    return {
      ok: true,
      rev: putValue(edit, key, row, text, due),
      body: (flags & GET) === 0 ? OK : before,
    };
  },
};

function dueOf(edit: Edit, { flags, ttl }: Arguments, row: Uint8Array | undefined): number {
  if (ttl !== undefined) return dueAfter(edit, ttl);
  return (flags & KEEP_TTL) === 0 ? NEVER : rowDue(row);
}
