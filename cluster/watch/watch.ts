/**
 * One watch: what it is about, and how far it has come.
 *
 * A watch that has told all there is gets each change as it happens. One that has not has its place in the ring, and goes on from
 * there as its client reads: so there is no queue for each, and a client that is too slow is noticed when what it has not read is
 * not kept any more.
 *
 * @module
 */

import { compareBytes } from "../../protocol/bytes.ts";
import { pathOfKey, pathText } from "../machine/kv/mod.ts";
import type { NodeChange } from "../machine/mod.ts";
import type { TellableChange } from "../../protocol/kv/change.ts";
import type { Place } from "./index.ts";
import type { Cursor } from "./ring.ts";

/** What a client wants to be told. */
export interface WatchRequest extends Place {
  /** The key of the node in the store, or what the keys of all begin with. */
  readonly key: Uint8Array;
  /** What is there already, before changes. */
  readonly initial: boolean;
  /** The values before, too. */
  readonly old: boolean;
  /** All changes of one revision together. */
  readonly coalesce: boolean;
  /** Changes from this revision on; without it those that come. */
  readonly fromRev: number | undefined;
}

/** A watch. */
export interface Watch extends WatchRequest {
  /** Its number among those of its client. */
  readonly id: number;
  /** Where it is; `undefined` when it has told all there is. */
  cursor: Cursor | undefined;
  /** Whether it has to tell first what its place in the ring does not: what is there already, or what is older. */
  isHeld: boolean;
  /** While it tells what is there already: the key up to which it has. Later ones are not told as changes. */
  listed: Uint8Array | undefined;
}

/** Whether a change is for a watch, by the bytes of keys: each segment has its end, so one key below another begins with it. */
export function isFor({ key, tree, fromRev, listed }: Watch, change: NodeChange): boolean {
  if (change.rev < (fromRev ?? 0)) return false;
  if (listed !== undefined && compareBytes(change.key, listed) >= 0) return false;
  const { length } = key;
  if (tree ? change.key.length < length : change.key.length !== length) return false;
  for (let i = length - 1; i >= 0; i--) if (change.key[i] !== key[i]) return false;
  return true;
}

/** A change as it is told. */
export function tellable({ key, kind, text, before, rev }: NodeChange): TellableChange {
  return { path: pathText(pathOfKey(key)), kind, text, before, rev };
}
