/**
 * Requests of the session of a connection.
 *
 * @module
 */

import { MAX_TOGETHER_BYTES } from "../../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import {
  invalid,
  type Members,
  type OnceMembers,
  UNKNOWN_ACTION,
  wrongOnce,
} from "../../../protocol/kv/mod.ts";
import type { Action } from "../action.ts";
import { type Once, onceOf } from "./deed.ts";

/** A request to be executed once. */
export interface OnceRequest {
  readonly id: number;
  readonly low: number;
  readonly tellsRevision: boolean;
  readonly once: Once;
}

/** Whether a request wants to be executed once. */
export function isOnce({ rid, low }: OnceMembers): boolean {
  return rid !== undefined || low !== undefined;
}

/**
 * What is to be executed once of a request whose other members are right, or what is wrong with it; `use` is where keys are that
 * name no namespace.
 */
export function onceRequestOf(
  action: Action,
  request: Members,
  use: string,
  session: { isKnown(id: number): boolean },
): OnceRequest | Failure {
  const wrong = wrongOnce(request);
  if (wrong !== undefined) return invalid(wrong);
  const once = onceOf(action, request, use);
  if ("ok" in once) return once === UNKNOWN_ACTION ? invalid("rid") : once;
  const { rid: id = 0, low = 0 } = request as OnceMembers;
  const { tellsRevision } = action;
  // The answer to what comes again may be there, and as long as any.
  const kept = session.isKnown(id) ? MAX_TOGETHER_BYTES : once.kept;
  return { id, low, tellsRevision, once: { ...once, kept } };
}
