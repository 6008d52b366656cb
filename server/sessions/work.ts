/**
 * From the payload of a request to what is to be done: the same JSON objects as the lines of the key-value port.
 *
 * Requests that are not repeatable by their nature, or are about the connection that they come on, are none of a session: such an
 * action is unknown here. What lists is for queries alone, since it is gathered by many questions.
 *
 * @module
 */

import type { Deed } from "../../cluster/machine/mod.ts";
import {
  invalid,
  isUnreadable,
  type Members,
  type Problem,
  readLine,
  type ReadRequest,
  UNKNOWN_ACTION,
} from "../../protocol/kv/mod.ts";
import type { Access } from "../kv/access/access.ts";
import type { Entry } from "../kv/access/entries.ts";
import type { Action } from "../kv/action.ts";
import { callOf, isCall } from "../kv/call.ts";
import { onceOf } from "../kv/session/deed.ts";
import { actionOf } from "../kv/dispatch.ts";
import type { Listing } from "../kv/listing.ts";
import type { Consistency } from "../replica/service.ts";

/** Who asks. */
export interface Asker {
  /** Who may do what; `undefined`: everybody everything. */
  readonly access: Access | undefined;
  /** Who it is, where that matters. */
  readonly entry: Entry | undefined;
}

/** A command of a session. */
export interface Work {
  readonly deed: Deed;
  readonly tellsRevision: boolean;
}

/** A question of a session. */
export interface Inquiry {
  readonly what: { readonly bytes: Uint8Array } | { readonly listing: Listing };
  readonly consistency: Consistency;
  readonly tellsRevision: boolean;
}

/** First byte of the payloads that are known: `{`. */
const OBJECT = 0x7b;

/** The request in a payload; `undefined` when there is none. */
export function requestOf(payload: Uint8Array): Members | undefined {
  if (payload[0] !== OBJECT) return undefined;
  const read = readLine(payload);
  return isUnreadable(read) ? undefined : read;
}

/** What a request does once, or why it does nothing. */
export function workOf(request: Members, asker: Asker): Work | Problem {
  const action = checked(request, asker);
  if ("code" in action) return action;
  const once = onceOf(action, request, "");
  return "ok" in once ? once : { deed: once.deed, tellsRevision: action.tellsRevision };
}

/** What a query asks, or why it asks nothing: what only reads. */
export function inquiryOf(request: Members, asker: Asker): Inquiry | Problem {
  const action = checked(request, asker);
  if ("code" in action) return action;
  const { doing, tellsRevision } = action;
  const { consistency = "linearizable" } = request as unknown as ReadRequest;
  if (doing.kind === "listing") {
    const listing = doing.make(request, "");
    return "ok" in listing ? listing : { what: { listing }, consistency, tellsRevision };
  }
  if (!isCall(doing)) return UNKNOWN_ACTION;
  const call = callOf(doing, request, "");
  if ("ok" in call) return call;
  if (call.kind === "command") return UNKNOWN_ACTION;
  return { what: { bytes: call.bytes }, consistency, tellsRevision };
}

/** The action of a request that is right, as far as that can be told, and that its client may have done. */
function checked(request: Members, { access, entry }: Asker): Action | Problem {
  const { action: name } = request;
  if (typeof name !== "string") return invalid("action");
  const action = actionOf(name);
  const client = { use: "", ...entry && { entry } };
  const refusal = access?.refusal(action?.name ?? "", request, client);
  if (refusal !== undefined) return refusal;
  if (action === undefined) return UNKNOWN_ACTION;
  // Messages of this port have ids of their own.
  const wrong = action.members.wrong(request) ??
    ["rid", "low"].find((member) => request[member] !== undefined);
  return wrong === undefined ? action : invalid(wrong);
}
