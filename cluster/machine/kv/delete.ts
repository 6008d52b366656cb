/**
 * DEL: takes a node's value away, or those of its whole subtree.
 *
 * @module
 */

import { type Command, encodeCall } from "../module.ts";
import {
  conditionFailed,
  KEY_NOT_FOUND,
  readRevision,
  readTarget,
  type Target,
} from "./conditions.ts";
import {
  hasChildren,
  KV,
  nextRevision,
  revisionOf,
  rowRevision,
  valueKey,
  valuesBelow,
} from "./rows.ts";
import { textOfInteger } from "./value.ts";

/** Number of the command. */
export const DELETE = 2;

/** When and what is deleted. */
export interface DeleteOptions {
  /** Everything below the node, too. */
  readonly tree?: boolean;
  /** Nothing to delete is no failure: the result is 0. */
  readonly ifExists?: boolean;
  /** Only if the last change of the node itself was this one; 0: only if it has no value. */
  readonly ifRev?: number;
}

interface Arguments extends Target {
  readonly ifRev: number | undefined;
}

const VERSION = 1;
const TREE = 1;
const IF_EXISTS = 2;
const IF_REV = 4;

/** The command that deletes the value at a path. Its result is how many values there were. */
export function deleteCommand(
  path: Uint8Array,
  { tree, ifExists, ifRev }: DeleteOptions = {},
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, DELETE, (writer) => {
    writer.bytes(path);
    writer.uint(
      (tree ? TREE : 0) | (ifExists ? IF_EXISTS : 0) | (ifRev === undefined ? 0 : IF_REV),
    );
    if (ifRev !== undefined) writer.uint(ifRev);
  });
}

/** The command. */
export const del: Command<Arguments> = {
  since: VERSION,
  read(reader) {
    const { path, flags } = readTarget(reader, TREE | IF_EXISTS | IF_REV);
    return { path, flags, ifRev: readRevision(reader, (flags & IF_REV) !== 0) };
  },
  apply(state, _context, { path, flags, ifRev }) {
    const key = valueKey(state, path);
    if (!(key instanceof Uint8Array)) return key;
    const row = state.get(key);
    const tree = (flags & TREE) !== 0;
    if (row === undefined && !(tree && hasChildren(state, key))) {
      if ((flags & IF_EXISTS) === 0) return KEY_NOT_FOUND;
      return { ok: true, rev: revisionOf(state), body: textOfInteger(0) };
    }
    const rev = rowRevision(row);
    if (ifRev !== undefined && ifRev !== rev) return conditionFailed(rev);
    let removed = 0;
    if (row !== undefined) {
      state.delete(key);
      removed++;
    }
    if (tree) {
      for (const below of valuesBelow(state, key)) {
        state.delete(below.key);
        removed++;
      }
    }
    return { ok: true, rev: nextRevision(state), body: textOfInteger(removed) };
  },
};
