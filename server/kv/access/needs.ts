/**
 * Which rights each action needs for a request: one table. What is not in it nobody may do.
 *
 * @module
 */

import { resolveBase, resolvePath } from "../../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import type { Members, RequestKey } from "../../../protocol/kv/mod.ts";
import type { Deed, Need } from "./rights.ts";

/** What a request whose members are right needs, or what is wrong with its paths. */
type NeedsOf = (request: Members, use: string) => readonly Need[] | Failure;

const NONE: readonly Need[] = [];
const nothing: NeedsOf = () => NONE;
const admin: NeedsOf = () => [{ deed: "admin" }];

/** Actions that somebody may ask for who has not shown who it is. */
export const OPEN: ReadonlySet<string> = new Set(["HELLO", "AUTH", "PING", "QUIT"]);

const TABLE: Readonly<Record<string, NeedsOf>> = {
  HELLO: nothing,
  AUTH: nothing,
  PING: nothing,
  QUIT: nothing,
  ECHO: nothing,
  USE: nothing,
  INFO: admin,
  // It tells the old value when it is asked to.
  SET: (request, use) => at(request, use, request["get"] === true ? ["write", "read"] : ["write"]),
  GET: (request, use) => at(request, use, ["read"]),
  DEL: (request, use) => at(request, use, ["write"]),
  EXISTS: (request, use) => at(request, use, ["read"]),
  // They tell the value.
  INCR: (request, use) => at(request, use, ["write", "read"]),
  DECR: (request, use) => at(request, use, ["write", "read"]),
  KEYS({ prefix, namespace }, use) {
    const needs = below(prefix, namespace, use);
    return "ok" in needs && needs.field === "key" ? { ...needs, field: "prefix" } : needs;
  },
  CHILDREN: ({ key, namespace }, use) => below(key, namespace, use),
};

/** What an action needs for a request whose members are right; `undefined` when nobody may ask for it. */
export function needsOf(
  action: string,
  request: Members,
  use: string,
): readonly Need[] | Failure | undefined {
  return Object.hasOwn(TABLE, action) ? TABLE[action]?.(request, use) : undefined;
}

function at({ key, namespace }: Members, use: string, deeds: readonly Deed[]): Need[] | Failure {
  const path = resolvePath(key as RequestKey, namespace as string | undefined, use);
  return path instanceof Uint8Array ? deeds.map((deed) => ({ deed, path })) : path;
}

/** A listing shows all that is below its base, which therefore has to be below what may be read. */
function below(key: unknown, namespace: unknown, use: string): Need[] | Failure {
  const path = resolveBase(key as RequestKey | undefined, namespace as string | undefined, use);
  return path instanceof Uint8Array ? [{ deed: "read", path }] : path;
}
