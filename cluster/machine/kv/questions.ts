/**
 * GET and EXISTS: the questions about one node.
 *
 * @module
 */

import { encodeCall, type Question } from "../module.ts";
import { readBytes } from "../strict.ts";
import { KEY_NOT_FOUND } from "./conditions.ts";
import { hasChildren, KV, rowRevision, rowText, valueKey } from "./rows.ts";

/** Numbers of the questions. */
export const GET = 1;
/** See {@linkcode GET}. */
export const EXISTS = 2;

const VERSION = 1;
const encoder = new TextEncoder();

/** What EXISTS says, by value and children. */
const EXISTENCE = [false, true].map((value) =>
  [false, true].map((children) => encoder.encode(JSON.stringify({ value, children })))
);

/** The question for the value at a path; its revision comes with it. */
export function getQuestion(path: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, GET, (writer) => writer.bytes(path));
}

/** The question whether the node at a path has a value, and whether there are any below it. */
export function existsQuestion(path: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, EXISTS, (writer) => writer.bytes(path));
}

/** The question. */
export const get: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, path) {
    const key = valueKey(state, path);
    if (!(key instanceof Uint8Array)) return key;
    const row = state.get(key);
    if (row === undefined) return KEY_NOT_FOUND;
    return { ok: true, rev: rowRevision(row), body: rowText(row) };
  },
};

/** The question. */
export const exists: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, path) {
    const key = valueKey(state, path);
    if (!(key instanceof Uint8Array)) return key;
    const value = Number(state.get(key) !== undefined);
    const children = Number(hasChildren(state, key));
    return { ok: true, rev: 0, body: EXISTENCE[value]?.[children] as Uint8Array };
  },
};
