/**
 * EXPIRE and PERSIST: change how long a value is to live, and leave it as it is.
 *
 * @module
 */

import { encodeCall } from "../module.ts";
import { readBytes } from "../strict.ts";
import { findValue, readTtl } from "./conditions.ts";
import { type Change, KV } from "./edit.ts";
import { dueAfter, NEVER, putTime, rowDue } from "./rows.ts";

/** Numbers of the commands. */
export const EXPIRE = 4;
/** See {@linkcode EXPIRE}. */
export const PERSIST = 5;

interface Arguments {
  readonly path: Uint8Array;
  readonly ttl: number;
}

const VERSION = 1;

const encoder = new TextEncoder();
const OK = encoder.encode('"OK"');
const TRUE = encoder.encode("true");
const FALSE = encoder.encode("false");

/** The command that has the value at a path go by itself `ttlMs` later, from 1 to `MAX_TTL_MS`. Its result is `"OK"`. */
export function expireCommand(path: Uint8Array, ttlMs: number): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, EXPIRE, (writer) => {
    writer.bytes(path);
    writer.uint(ttlMs);
  });
}

/** The command that has the value at a path stay. Its result is whether it was to go. */
export function persistCommand(path: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, PERSIST, (writer) => writer.bytes(path));
}

/** The command. */
export const expire: Change<Arguments> = {
  since: VERSION,
  read: (reader) => ({ path: readBytes(reader), ttl: readTtl(reader) }),
  perform(edit, { path, ttl }) {
    const found = findValue(edit.state, path);
    if (!("row" in found)) return found;
    putTime(edit, found.key, found.row, dueAfter(edit, ttl));
    return { ok: true, rev: edit.rev, body: OK };
  },
};

/** The command. */
export const persist: Change<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  perform(edit, path) {
    const found = findValue(edit.state, path);
    if (!("row" in found)) return found;
    const isToGo = rowDue(found.row) !== NEVER;
    if (isToGo) putTime(edit, found.key, found.row, NEVER);
    return { ok: true, rev: edit.rev, body: isToGo ? TRUE : FALSE };
  },
};
