/**
 * From requests to what a session does once: the same of both ports that have sessions.
 *
 * @module
 */

import { resolvePath } from "../../../cluster/machine/kv/mod.ts";
import type { Deed, Failure } from "../../../cluster/machine/mod.ts";
import {
  invalid,
  type Members,
  UNKNOWN_ACTION,
  type UnwatchRequest,
  type WatchNodeRequest,
} from "../../../protocol/kv/mod.ts";
import type { Action } from "../action.ts";
import { type Concern, EVERYWHERE } from "../answers.ts";
import { jobOf } from "../actions/jobs.ts";
import { callOf, isCall } from "../call.ts";

/** What a request does once. */
export interface Once extends Concern {
  readonly deed: Deed;
}

/**
 * What a request whose members are right does once, or why it does nothing; `use` is where keys are that name no namespace. What is
 * about a connection, or makes no one command, is no action of a session.
 */
export function onceOf({ name, doing }: Action, request: Members, use: string): Once | Failure {
  if (doing.kind === "watches") {
    const deed = name === "WATCH" ? watchOf(request, use) : unwatchOf(request);
    return "code" in deed ? deed : { deed, ...ANYWHERE };
  }
  if (name === "DISPATCH") {
    const job = jobOf(request);
    return "ok" in job ? job : { deed: { kind: "dispatch", job }, ...ANYWHERE };
  }
  if (!isCall(doing)) return UNKNOWN_ACTION;
  const call = callOf(doing, request, use);
  if ("ok" in call) return call;
  const { kind, bytes, place, weight, kept } = call;
  return { deed: { kind, bytes }, kind: "command", place, weight, kept };
}

const ANYWHERE: Concern = { kind: "command", place: EVERYWHERE, weight: 1, kept: 0 };

/** `^` with `tree` is all there is. A session is told everything from its watch on, so that none begins earlier. */
function watchOf(request: Members, use: string): Deed | Failure {
  const { key, namespace, tree, initial, old, coalesce, from_rev } =
    request as unknown as WatchNodeRequest;
  if (from_rev !== undefined) return invalid("from_rev");
  const isAll = key === "^" && (namespace ?? "") === "";
  const path = isAll ? ALL : resolvePath(key, namespace, use);
  if (!(path instanceof Uint8Array)) return path;
  const how = { tree: tree === true, initial: initial === true, old: old === true };
  return { kind: "watch", watch: { path, ...how, coalesce: coalesce === true } };
}

function unwatchOf(request: Members): Deed {
  return { kind: "unwatch", number: (request as unknown as UnwatchRequest).watch };
}

const ALL = new Uint8Array();
