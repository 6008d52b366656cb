/**
 * The actions about watches.
 *
 * @module
 */

import {
  BAD_KEY,
  getManyQuestion,
  pathText,
  resolvePath,
  valueKey,
  VALUES,
} from "../../../cluster/machine/kv/mod.ts";
import type { Failure, Result } from "../../../cluster/machine/mod.ts";
import type { Begun, Watcher, WatchRequest } from "../../../cluster/watch/mod.ts";
import {
  type Problem,
  REVISION_GONE,
  type UnwatchRequest,
  WATCH_NOT_FOUND,
  type WatchNodeRequest,
} from "../../../protocol/kv/mod.ts";
import type { StateService } from "../../replica/service.ts";
import { type Doing, successOf } from "../action.ts";

/** WATCH. */
export const watch: Doing = {
  kind: "watches",
  make(request, use) {
    const wanted = watchOf(request as unknown as WatchNodeRequest, use);
    if ("ok" in wanted) return wanted;
    return (watcher, { state, requestLimitMs }) => {
      const begun = beginWatch(watcher, wanted, state, requestLimitMs);
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

/**
 * Begins a watch. At a revision that this agent does not know of the servers are asked whether it was there: the agent may be
 * behind them, or the store not the one any more that had it, begun anew, or back from before a power cut. There the same
 * revision will be another change, and those before it would be missing without a word.
 */
export function beginWatch(
  watcher: Watcher,
  wanted: WatchRequest,
  state: StateService,
  limitMs: number,
): Begun | Problem | Promise<Begun | Problem> {
  const { fromRev = 0 } = wanted;
  const known = state.watches.source?.rev ?? 0;
  if (fromRev <= known + 1) return watcher.watch(wanted);
  const { promise, resolve } = Promise.withResolvers<Result>();
  state.query(ANY, "linearizable", limitMs, ({ result }) => resolve(result));
  return promise.then((result) => {
    if (!result.ok) return result;
    return fromRev > result.rev + 1 ? REVISION_GONE : watcher.watch(wanted);
  });
}

function resultOf(begun: Begun | Problem): Result {
  return "ok" in begun ? begun : successOf(begun);
}

/** A question whose answer tells the revision of the store. */
const ANY = getManyQuestion([resolvePath("^a") as Uint8Array]);

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
