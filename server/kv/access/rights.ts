/**
 * What a client may do: nodes below some paths, and a few things that are no nodes.
 *
 * @module
 */

/** What can be done to a node or a channel. */
export type Deed = "read" | "write" | "publish" | "subscribe";

/** All of them. */
export const DEEDS: readonly Deed[] = ["read", "write", "publish", "subscribe"];

/** The rights of one entry. */
export interface Rights extends Readonly<Record<Deed, readonly Uint8Array[]>> {
  /** Whether subscriptions may be patterns. */
  readonly patterns: boolean;
  /** Whether figures of the agent are told. */
  readonly admin: boolean;
}

/** What a request needs: a deed at the node of a path and all below it, or one of the rights that have no path. */
export type Need =
  | { readonly deed: Deed; readonly path: Uint8Array }
  | { readonly deed: "patterns" | "admin" };

const CARET = 0x5e;

/** Whether the rights are enough. */
export function allows(rights: Rights, need: Need): boolean {
  if (!("path" in need)) return rights[need.deed];
  return rights[need.deed].some((prefix) => covers(prefix, need.path));
}

/** Whether a path is that of a prefix or below it, segment by segment; the empty prefix is above all. */
function covers(prefix: Uint8Array, path: Uint8Array): boolean {
  const { length } = prefix;
  if (length === 0) return true;
  if (path.length < length || (path.length > length && path[length] !== CARET)) return false;
  for (let i = 0; i < length; i++) if (prefix[i] !== path[i]) return false;
  return true;
}
