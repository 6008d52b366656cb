/**
 * From requests to commands and questions of the machine, whichever port they came to.
 *
 * @module
 */

import { resolvePath } from "../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../cluster/machine/mod.ts";
import type { Members, TargetRequest } from "../../protocol/kv/mod.ts";
import type { Doing } from "./action.ts";
import { type Concern, EVERYWHERE, hashOf, placeOf } from "./answers.ts";

/** How an action is done that is one command or one question. */
export type CallDoing = Extract<Doing, { kind: "command" | "question" | "several" }>;

/** A command or a question. */
export interface Call extends Concern {
  readonly bytes: Uint8Array;
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
    const { kind, bytes, nodes, mostTold = 0 } = several;
    const place = placeOf(nodes.map(({ path }) => path));
    return { kind, bytes, place, weight: Math.max(1, nodes.length), kept: mostTold };
  }
  const { key, namespace } = request as unknown as TargetRequest;
  const path = resolvePath(key, namespace, use);
  if (!(path instanceof Uint8Array)) return path;
  const bytes = doing.make(path, request);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const place = doing.isBroad(request) ? EVERYWHERE : hashOf(path);
  return { kind: doing.kind, bytes, place, weight: 1, kept: 0 };
}
