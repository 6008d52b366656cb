/**
 * From requests to commands and questions of the machine, whichever port they came to.
 *
 * @module
 */

import { resolvePath } from "../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../cluster/machine/mod.ts";
import type { Members, TargetRequest } from "../../protocol/kv/mod.ts";
import type { Doing } from "./action.ts";
import { EVERYWHERE, hashOf, type Place, placeOf } from "./answers.ts";

/** How an action is done that is one command or one question. */
export type CallDoing = Extract<Doing, { kind: "command" | "question" | "several" }>;

/** A command or a question. */
export interface Call {
  readonly kind: "command" | "question";
  readonly bytes: Uint8Array;
  /** Where in the state it reads or changes something. */
  readonly place: Place;
}

/** Whether an action is one command or one question. */
export function isCall(doing: Doing): doing is CallDoing {
  return doing.kind === "command" || doing.kind === "question" || doing.kind === "several";
}

/** What a request whose members are right asks of the machine, or why it asks nothing; `use` is where keys are that name no namespace. */
export function callOf(doing: CallDoing, request: Members, use: string): Call | Failure {
  if (doing.kind === "several") {
    const several = doing.make(request, use);
    if ("ok" in several) return several;
    const { kind, bytes, nodes } = several;
    return { kind, bytes, place: placeOf(nodes.map(({ path }) => path)) };
  }
  const { key, namespace } = request as unknown as TargetRequest;
  const path = resolvePath(key, namespace, use);
  if (!(path instanceof Uint8Array)) return path;
  const bytes = doing.make(path, request);
  if (!(bytes instanceof Uint8Array)) return bytes;
  return { kind: doing.kind, bytes, place: doing.isBroad(request) ? EVERYWHERE : hashOf(path) };
}
