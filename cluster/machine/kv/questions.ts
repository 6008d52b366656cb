/**
 * GET, EXISTS and TTL: the questions about one node.
 *
 * @module
 */

import { encodeCall, type Question } from "../module.ts";
import { readBytes } from "../strict.ts";
import { findValue } from "./conditions.ts";
import { KV } from "./edit.ts";
import { hasChildren, NEVER, rowDue, rowRevision, rowText, valueKey } from "./rows.ts";
import { textOfInteger } from "./value.ts";

/** Numbers of the questions. */
export const GET = 1;
/** See {@linkcode GET}. */
export const EXISTS = 2;
/** See {@linkcode GET}. */
export const TTL = 4;

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

/** The question how many milliseconds the value at a path has left: none when it is due, -1 when it never is. */
export function ttlQuestion(path: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, TTL, (writer) => writer.bytes(path));
}

/** The question. */
export const get: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, path, time) {
    const found = findValue(state, path);
    if (!("row" in found)) return found;
    const { row } = found;
    const left = timeLeft(row, time);
    const rev = rowRevision(row);
    const body = rowText(row);
    return left === ENDLESS ? { ok: true, rev, body } : { ok: true, rev, body, ttlMs: left };
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

/** The question. */
export const ttl: Question<Uint8Array> = {
  since: VERSION,
  read: readBytes,
  answer(state, path, time) {
    const found = findValue(state, path);
    if (!("row" in found)) return found;
    return { ok: true, rev: 0, body: textOfInteger(timeLeft(found.row, time)) };
  },
};

/** What TTL says of a value that is never due. */
const ENDLESS = -1;

function timeLeft(row: Uint8Array, time: number): number {
  const due = rowDue(row);
  return due === NEVER ? ENDLESS : Math.max(0, due - time);
}
