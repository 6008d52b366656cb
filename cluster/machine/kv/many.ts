/**
 * MSET and MGET: many values at a time.
 *
 * @module
 */

import { concatBytes } from "../../../protocol/bytes.ts";
import { MAX_ITEMS, MAX_TTL_MS } from "../../../protocol/kv/limits.ts";
import type { Reader } from "../../../protocol/msgpack/mod.ts";
import { encodeCall, type Question } from "../module.ts";
import type { Failure } from "../result.ts";
import { readBytes, readUint } from "../strict.ts";
import { type Change, KV, revisionOf } from "./edit.ts";
import { dueAfter, NEVER, putValue, rowText, rowToReplace, valueKey } from "./rows.ts";
import { BAD_VALUE, MAX_VALUE_TEXT_BYTES, VALUE_TOO_LARGE } from "./value.ts";

/** Number of the command. */
export const SET_MANY = 7;
/** Number of the question. */
export const GET_MANY = 6;

/**
 * Most bytes of the values of one request, or of the values that it finds: less than a line takes, and as much as a page of a
 * listing.
 */
export const MAX_TOGETHER_BYTES = 1_000_000;

/** A value for a path. */
export interface SetItem {
  readonly path: Uint8Array;
  /** Its text of JSON. */
  readonly text: Uint8Array;
  /** It goes by itself so many milliseconds later. Default: it stays. */
  readonly ttlMs?: number | undefined;
}

interface Item {
  readonly path: Uint8Array;
  readonly text: Uint8Array;
  readonly ttl: number;
}

const VERSION = 1;

/** A time to live that means: it stays. */
const ENDLESS = 0;

const OK = new TextEncoder().encode('"OK"');
const NULL = new TextEncoder().encode("null");
const OPEN = Uint8Array.of(0x5b);
const COMMA = Uint8Array.of(0x2c);
const CLOSE = Uint8Array.of(0x5d);

/** Values that take too much together. */
export const TOGETHER_TOO_LARGE: Failure = { ok: false, code: 413, reason: "VALUE_TOO_LARGE" };

/** The command that sets 1 to {@linkcode MAX_ITEMS} values, all of them or none. Its result is `"OK"`. */
export function setManyCommand(items: readonly SetItem[]): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, SET_MANY, (writer) => {
    writer.uint(items.length);
    for (const { path, text, ttlMs = ENDLESS } of items) {
      writer.bytes(path);
      writer.bytes(text);
      writer.uint(ttlMs);
    }
  });
}

/** The question for the values at 1 to {@linkcode MAX_ITEMS} paths: a list in their order, with `null` for one that is missing. */
export function getManyQuestion(paths: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, GET_MANY, (writer) => {
    writer.uint(paths.length);
    for (const path of paths) writer.bytes(path);
  });
}

/** The command. */
export const setMany: Change<readonly Item[]> = {
  since: VERSION,
  read: (reader) =>
    readList(reader, () => ({
      path: readBytes(reader),
      text: readBytes(reader),
      ttl: readUint(reader, ENDLESS, MAX_TTL_MS),
    })),
  perform(edit, items) {
    let size = 0;
    const keys: Uint8Array[] = [];
    for (const { path, text } of items) {
      const key = valueKey(edit.state, path);
      if (!(key instanceof Uint8Array)) return { ...key, field: "items" };
      if (text.length === 0) return { ...BAD_VALUE, field: "items" };
      if (text.length > MAX_VALUE_TEXT_BYTES) return { ...VALUE_TOO_LARGE, field: "items" };
      size += text.length;
      keys.push(key);
    }
    if (size > MAX_TOGETHER_BYTES) return { ...TOGETHER_TOO_LARGE, field: "items" };
    for (const [i, { text, ttl }] of items.entries()) {
      const key = keys[i] as Uint8Array;
      const due = ttl === ENDLESS ? NEVER : dueAfter(edit, ttl);
      putValue(edit, key, rowToReplace(edit, key), text, due);
    }
    return { ok: true, rev: edit.rev, body: OK };
  },
};

/** The question. */
export const getMany: Question<readonly Uint8Array[]> = {
  since: VERSION,
  read: (reader) => readList(reader, readBytes),
  answer(state, paths) {
    const texts: Uint8Array[] = [];
    let size = 0;
    for (const path of paths) {
      const key = valueKey(state, path);
      if (!(key instanceof Uint8Array)) return { ...key, field: "keys" };
      const row = state.get(key);
      const text = row === undefined ? NULL : rowText(row);
      size += text.length;
      if (size > MAX_TOGETHER_BYTES) return { ...TOGETHER_TOO_LARGE, field: "keys" };
      texts.push(text);
    }
    return { ok: true, rev: revisionOf(state), body: listOf(texts) };
  },
};

/** The list of values of JSON. */
export function listOf(texts: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [OPEN];
  for (const [i, text] of texts.entries()) {
    if (i > 0) parts.push(COMMA);
    parts.push(text);
  }
  return concatBytes([...parts, CLOSE]);
}

function readList<T>(reader: Reader, readOne: (reader: Reader) => T): T[] {
  const items: T[] = [];
  for (let left = readUint(reader, 1, MAX_ITEMS); left > 0; left--) items.push(readOne(reader));
  return items;
}
