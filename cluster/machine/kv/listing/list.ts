/**
 * LIST: the nodes below a node, in the order of their paths: segment by segment by its bytes, a node before those below it.
 *
 * A question does a bounded piece of work and says where it has come to; the next one goes on behind that path. Since places are
 * paths and not counts, what is written meanwhile neither repeats a node nor passes one over that is there all the time.
 *
 * @module
 */

import { concatBytes } from "../../../../protocol/bytes.ts";
import { MAX_LISTED } from "../../../../protocol/kv/limits.ts";
import { DecodeError, type Reader } from "../../../../protocol/msgpack/mod.ts";
import { encodeCall, type Question } from "../../module.ts";
import type { Failure } from "../../result.ts";
import type { StoreReader } from "../../store/store.ts";
import { keyAfter, keysBelow } from "../../store/tuple.ts";
import { readBytes, readUint } from "../../strict.ts";
import { KV } from "../edit.ts";
import { CARET, MAX_PATH_BYTES, MAX_SEGMENTS, pathText } from "../path.ts";
import { pathOfKey, rowRevision, rowText, valueKey, VALUES } from "../rows.ts";
import { encodePage, MAX_LISTED_BYTES, type Page } from "./page.ts";
import { Walk } from "./walk.ts";

/** Number of the question. */
export const LIST = 3;

/** What is told of each node. */
export type Listed =
  /** The paths of nodes with a value. */
  | "keys"
  /** The same with value and revision. */
  | "entries"
  /** The names one level below, of nodes with a value or with nodes below them. */
  | "children";

/** What is listed. */
export interface ListOptions {
  /** What is told of each node. */
  readonly what: Listed;
  /** A path below: only what follows it. For `children`, one level below. Default: from the first on. */
  readonly after?: Uint8Array | undefined;
  /** Most items, from 1 to {@linkcode MAX_LISTED}. */
  readonly limit: number;
  /** Most bytes of items, from 1 to {@linkcode MAX_LISTED_BYTES}. */
  readonly bytes: number;
  /** How many levels below, from 1 to 16. Default: all. */
  readonly depth?: number | undefined;
}

interface Arguments {
  readonly path: Uint8Array;
  readonly what: Listed;
  readonly after: Uint8Array | undefined;
  readonly limit: number;
  readonly bytes: number;
  readonly depth: number;
}

const VERSION = 1;
const WHAT: readonly Listed[] = ["keys", "entries", "children"];
const NONE = new Uint8Array();
const COMMA = Uint8Array.of(0x2c);

/** A place to go on from that is not below the node. */
export const BAD_AFTER: Failure = { ok: false, code: 422, reason: "INVALID", field: "after" };

const encoder = new TextEncoder();

/** The question for the nodes below a path, which is empty for all there are. Its body is an encoded {@linkcode Page}. */
export function listQuestion(
  path: Uint8Array,
  { what, after = NONE, limit, bytes, depth = MAX_SEGMENTS }: ListOptions,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, LIST, (writer) => {
    writer.bytes(path);
    writer.uint(WHAT.indexOf(what));
    writer.bytes(after);
    writer.uint(limit);
    writer.uint(bytes);
    writer.uint(depth);
  });
}

/** The question. */
export const list: Question<Arguments> = {
  since: VERSION,
  read(reader) {
    return {
      path: readPath(reader),
      what: WHAT[readUint(reader, 0, WHAT.length - 1)] as Listed,
      after: readAfter(reader),
      limit: readUint(reader, 1, MAX_LISTED),
      bytes: readUint(reader, 1, MAX_LISTED_BYTES),
      depth: readUint(reader, 1, MAX_SEGMENTS),
    };
  },
  answer(state, args) {
    const base = args.path.length === 0 ? VALUES : valueKey(state, args.path);
    if (!(base instanceof Uint8Array)) return base;
    const from = startOf(state, args, base);
    if (!(from instanceof Uint8Array)) return from;
    const page = pageFrom(new Walk(state, from, keysBelow(base).to), base, args);
    return { ok: true, rev: 0, body: encodePage(page) };
  },
};

/** Where the first row may be. */
function startOf(
  state: StoreReader,
  { path, what, after }: Arguments,
  base: Uint8Array,
): Uint8Array | Failure {
  if (after === undefined) return keysBelow(base).from;
  const key = valueKey(state, after);
  if (!(key instanceof Uint8Array) || !isBelow(after, path)) return BAD_AFTER;
  if (what !== "children") return keyAfter(key);
  const name = path.length === 0 ? 0 : path.length + 1;
  return after.includes(CARET, name) ? BAD_AFTER : keysBelow(key).to;
}

function pageFrom(walk: Walk, base: Uint8Array, args: Arguments): Page {
  const { what, limit, bytes, after } = args;
  const depth = what === "children" ? 1 : args.depth;
  const items: Uint8Array[] = [];
  let size = 0;
  let count = 0;
  let last = after ?? NONE;
  const page = (end: Page["end"]): Page => ({ end, last, count, items: concatBytes(items) });
  for (let row = walk.next(); row !== undefined; row = walk.next()) {
    const border = borderOf(row.key, base.length, depth);
    const isDeeper = border < row.key.length;
    const node = isDeeper ? row.key.subarray(0, border) : row.key;
    const place = pathOfKey(node);
    if (what === "children" || !isDeeper) {
      const item = itemOf(what, place, row.value);
      if (count === limit || size + item.length + 1 > bytes) return page("full");
      if (count++ > 0) items.push(COMMA);
      items.push(item);
      size += item.length + 1;
    }
    last = place;
    if (isDeeper || what === "children") walk.skip(keysBelow(node).to);
  }
  return page(walk.isTired ? "tired" : "done");
}

/** Where the first `depth` segments behind `start` end; all of the key when it has no more. */
function borderOf(key: Uint8Array, start: number, depth: number): number {
  let at = start;
  for (let level = 0; level < depth && at < key.length; level++) at = key.indexOf(0, at) + 1;
  return at;
}

function itemOf(what: Listed, path: Uint8Array, row: Uint8Array): Uint8Array {
  if (what === "keys") return encoder.encode(JSON.stringify(pathText(path)));
  if (what === "children") {
    const name = path.subarray(path.lastIndexOf(CARET) + 1);
    return encoder.encode(JSON.stringify(pathText(name)));
  }
  return concatBytes([
    encoder.encode(`{"key":${JSON.stringify(pathText(path))},"value":`),
    rowText(row),
    encoder.encode(`,"rev":${rowRevision(row)}}`),
  ]);
}

function isBelow(path: Uint8Array, base: Uint8Array): boolean {
  if (base.length === 0) return true;
  if (path[base.length] !== CARET) return false;
  return base.every((byte, i) => path[i] === byte);
}

function readPath(reader: Reader): Uint8Array {
  const path = readBytes(reader);
  if (path.length <= MAX_PATH_BYTES) return path;
  throw new DecodeError(`Path takes ${path.length} of ${MAX_PATH_BYTES} bytes`);
}

function readAfter(reader: Reader): Uint8Array | undefined {
  const after = readPath(reader);
  return after.length === 0 ? undefined : after;
}
