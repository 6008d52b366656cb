/**
 * The actions about watches.
 *
 * @module
 */

import {
  BAD_KEY,
  pathText,
  resolvePath,
  valueKey,
  VALUES,
} from "../../../cluster/machine/kv/mod.ts";
import type { Failure, Result } from "../../../cluster/machine/mod.ts";
import type { Begun, WatchRequest } from "../../../cluster/watch/mod.ts";
import {
  type Problem,
  type UnwatchRequest,
  WATCH_NOT_FOUND,
  type WatchNodeRequest,
} from "../../../protocol/kv/mod.ts";
import { type Doing, successOf } from "../action.ts";

/** WATCH. */
export const watch: Doing = {
  kind: "watches",
  make(request, use) {
    const wanted = watchOf(request as unknown as WatchNodeRequest, use);
    if ("ok" in wanted) return wanted;
    return (watcher) => {
      const begun = watcher.watch(wanted);
      return begun instanceof Promise ? begun.then(resultOf) : resultOf(begun);
    };
  },
};

/** UNWATCH. */
export const unwatch: Doing = {
  kind: "watches",
  make(request) {
    const { watch } = request as unknown as UnwatchRequest;
    return (watcher) => watcher.unwatch(watch) ? OK : WATCH_NOT_FOUND;
  },
};

const OK = successOf("OK");

function resultOf(begun: Begun | Problem): Result {
  return "ok" in begun ? begun : successOf(begun);
}

const MEMORY = { allocate: (length: number): Uint8Array => new Uint8Array(length) };

/** What a request wants to watch, or what is wrong with it. `^` with `tree` is all there is. */
export function watchOf(request: WatchNodeRequest, use = ""): WatchRequest | Failure {
  const { key: name, namespace, tree = false, from_rev } = request;
  const { initial = false, old = false, coalesce = false } = request;
  const how = { tree, initial, old, coalesce, fromRev: from_rev && Math.max(1, from_rev) };
  const isAll = name === "^" && (namespace ?? "") === "";
  if (isAll) return tree ? { ...how, path: "", key: VALUES } : BAD_KEY;
  const path = resolvePath(name, namespace, use);
  if (!(path instanceof Uint8Array)) return path;
  const key = valueKey(MEMORY, path);
  return key instanceof Uint8Array ? { ...how, path: pathText(path), key } : key;
}
