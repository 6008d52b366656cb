/**
 * DEL: takes a node's value away, or those of its whole subtree.
 *
 * @module
 */

import { encodeCall } from "../module.ts";
import {
  conditionFailed,
  KEY_NOT_FOUND,
  readRevision,
  readTarget,
  type Target,
} from "./conditions.ts";
import { type Change, KV } from "./edit.ts";
import { hasChildren, removeValue, rowRevision, valueKey, valuesBelow } from "./rows.ts";
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

/** Whether a whole subtree is deleted. */
export function isOfTree({ flags }: Target): boolean {
  return (flags & TREE) !== 0;
}

/** The command. */
export const del: Change<Arguments> = {
  since: VERSION,
  read(reader) {
    const { path, flags } = readTarget(reader, TREE | IF_EXISTS | IF_REV);
    return { path, flags, ifRev: readRevision(reader, (flags & IF_REV) !== 0) };
  },
  perform(edit, args) {
    const { state } = edit;
    const { path, flags, ifRev } = args;
    const key = valueKey(state, path);
    if (!(key instanceof Uint8Array)) return key;
    const row = state.get(key);
    const tree = isOfTree(args);
    if (row === undefined && !(tree && hasChildren(state, key))) {
      if ((flags & IF_EXISTS) === 0) return KEY_NOT_FOUND;
      return { ok: true, rev: edit.rev, body: textOfInteger(0) };
    }
    const rev = rowRevision(row);
    if (ifRev !== undefined && ifRev !== rev) return conditionFailed(rev);
    let removed = 0;
    if (row !== undefined) {
      removeValue(edit, key, row, "del");
      removed++;
    }
    if (tree) {
      for (const below of valuesBelow(state, key)) {
        removeValue(edit, below.key, below.value, "del");
        removed++;
      }
    }
    return { ok: true, rev: edit.rev, body: textOfInteger(removed) };
  },
};
