/**
 * Which rights each action needs for a request: one table. What is not in it nobody may do.
 *
 * @module
 */

import { resolveBase, resolvePath } from "../../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import { nameOf } from "../../../protocol/kv/actions/transaction.ts";
import { FORBIDDEN, type Members, type RequestKey } from "../../../protocol/kv/mod.ts";
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
  // Who knows the id of a session has it. What is asked for by it needs what it needs without.
  SESSION: nothing,
  // It tells the old value when it is asked to.
  SET: (request, use) => at(request, use, request["get"] === true ? ["write", "read"] : ["write"]),
  GET: (request, use) => at(request, use, ["read"]),
  DEL: (request, use) => at(request, use, ["write"]),
  EXISTS: (request, use) => at(request, use, ["read"]),
  // They tell the value.
  INCR: (request, use) => at(request, use, ["write", "read"]),
  DECR: (request, use) => at(request, use, ["write", "read"]),
  TTL: (request, use) => at(request, use, ["read"]),
  EXPIRE: (request, use) => at(request, use, ["write"]),
  PERSIST: (request, use) => at(request, use, ["write"]),
  MGET: ({ keys, namespace }, use) =>
    ofEach("keys", keys, (key) => at({ key, namespace }, use, ["read"])),
  MSET: ({ items, namespace }, use) =>
    ofEach("items", items, ({ key }: Members) => at({ key, namespace }, use, ["write"])),
  TXN(request, use) {
    const { namespace } = request;
    const parts = [
      ofEach("if", request["if"], (one: Members) => at({ namespace, ...one }, use, ["read"])),
      ofEach("then", request["then"], (step: Members) => ofStep({ namespace, ...step }, use)),
      ofEach("else", request["else"], (step: Members) => ofStep({ namespace, ...step }, use)),
    ];
    const needs: Need[] = [];
    for (const part of parts) {
      if ("ok" in part) return part;
      needs.push(...part);
    }
    return needs;
  },
  WATCH(request, use) {
    const { key, namespace = "" } = request;
    const isAll = key === "^" && namespace === "";
    return isAll ? [{ deed: "read", path: new Uint8Array() }] : at(request, use, ["read"]);
  },
  UNWATCH: nothing,
  DISPATCH: ({ capability }) => toChannel(["jobs", String(capability)], "publish"),
  PUBLISH: ({ channel }) => toChannel(channel as RequestKey, "publish"),
  SUBSCRIBE({ channel, channels }) {
    const subscribe = (one: RequestKey) => toChannel(one, "subscribe");
    return channels === undefined
      ? subscribe(channel as RequestKey)
      : ofEach("channels", channels, subscribe);
  },
  UNSUBSCRIBE: nothing,
  KEYS({ prefix, namespace }, use) {
    const needs = below(prefix, namespace, use);
    return "ok" in needs && needs.field === "key" ? { ...needs, field: "prefix" } : needs;
  },
  CHILDREN: ({ key, namespace }, use) => below(key, namespace, use),
};

/** What an action needs for a request whose members are right, or why it may not be done. */
export function needsOf(
  action: string,
  request: Members,
  use: string,
): readonly Need[] | Failure {
  const needs = Object.hasOwn(TABLE, action) ? TABLE[action]?.(request, use) : undefined;
  return needs ?? FORBIDDEN;
}

function at({ key, namespace }: Members, use: string, deeds: readonly Deed[]): Need[] | Failure {
  const path = resolvePath(key as RequestKey, namespace as string | undefined, use);
  return path instanceof Uint8Array ? deeds.map((deed) => ({ deed, path })) : path;
}

/** What the items of a list need; a failure of one of them is told by the member that has them. */
function ofEach<T>(
  member: string,
  list: unknown,
  needsOfOne: (item: T) => readonly Need[] | Failure,
): Need[] | Failure {
  const needs: Need[] = [];
  for (const item of (list ?? []) as readonly T[]) {
    const some = needsOfOne(item);
    if ("ok" in some) return some.field === "namespace" ? some : { ...some, field: member };
    needs.push(...some);
  }
  return needs;
}

/** A step of a transaction is an action itself. */
function ofStep(step: Members, use: string): readonly Need[] | Failure {
  return needsOf(nameOf(step), step, use);
}

/** A channel is a path from the root; one that ends with `*` or `**` stands for those below the node before. */
function toChannel(channel: RequestKey, deed: "publish" | "subscribe"): Need[] | Failure {
  const segments = typeof channel === "string" ? channel.replace(/^\^/, "").split("^") : channel;
  const whole = resolvePath(segments);
  if (!(whole instanceof Uint8Array)) return { ...whole, field: "channel" };
  if (!/^\*\*?$/.test(segments.at(-1) ?? "")) return [{ deed, path: whole }];
  const base = segments.slice(0, -1);
  const path = base.length === 0 ? new Uint8Array() : resolvePath(base);
  if (!(path instanceof Uint8Array)) return { ...path, field: "channel" };
  return [{ deed: "patterns" }, { deed, path }];
}

/** A listing shows all that is below its base, which therefore has to be below what may be read. */
function below(key: unknown, namespace: unknown, use: string): Need[] | Failure {
  const path = resolveBase(key as RequestKey | undefined, namespace as string | undefined, use);
  return path instanceof Uint8Array ? [{ deed: "read", path }] : path;
}
