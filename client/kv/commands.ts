/**
 * What can be done with keys and values, over whatever carries requests: a connection, or a session.
 *
 * @module
 */

import { requireArgument } from "../../protocol/arguments.ts";
import { KvError } from "../../protocol/kv/errors.ts";
import { type Page, paged } from "../../protocol/kv/paging.ts";
import type { KvOutcome, KvTransaction } from "../../protocol/kv/actions/transaction.ts";
import type {
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvSetItem,
  KvValue,
} from "../../protocol/kv/values.ts";
import type { CallOptions } from "../net/deadline.ts";
import type { Request, Success } from "./connection.ts";
import {
  checkCallOptions,
  checkKey,
  type KvCallOptions,
  type KvChildrenCallOptions,
  type KvDeleteCallOptions,
  type KvDispatchCallOptions,
  type KvGetCallOptions,
  type KvIncrementCallOptions,
  type KvKeysCallOptions,
  type KvSetCallOptions,
} from "./options.ts";
import { about, checked, checkedMembers, listing, requireList } from "./requests.ts";

/** Has a request done. `changes` tells whether it changes something. */
export type KvCaller = (
  request: Request,
  changes: boolean,
  options: CallOptions,
) => Promise<Success>;

/** `get` of clients. */
export async function get(
  call: KvCaller,
  key: KvKey,
  options: KvGetCallOptions = {},
): Promise<KvEntry | undefined> {
  checkCallOptions("get", options);
  const { consistency } = options;
  const request = { ...about("GET", key, options), ...consistency && { consistency } };
  const success = await orNothing(call(request, false, options));
  if (success === undefined) return undefined;
  const { result, rev = 0, ttl_ms } = success;
  return { value: result as KvValue, rev, ...ttl_ms !== undefined && { ttlMs: ttl_ms } };
}

/** `getMany` of clients. */
export async function getMany(
  call: KvCaller,
  keys: readonly KvKey[],
  options: KvGetCallOptions = {},
): Promise<KvValue[]> {
  checkCallOptions("getMany", options);
  requireList("keys", keys);
  keys.forEach(checkKey);
  const { namespace, consistency } = options;
  const request = { action: "MGET", keys, namespace, consistency };
  return (await call(request, false, options)).result as KvValue[];
}

/** `set` of clients. */
export async function set(
  call: KvCaller,
  key: KvKey,
  value: KvValue,
  options: KvSetCallOptions = {},
): Promise<{ rev: number }> {
  checkCallOptions("set", options);
  const { nx, xx, ifRev, ttlMs, keepTtl } = options;
  const request = {
    ...about("SET", key, options),
    value: checked(value),
    ...nx && { nx },
    ...xx && { xx },
    ...ifRev !== undefined && { if_rev: ifRev },
    ...ttlMs !== undefined && { ttl_ms: ttlMs },
    ...keepTtl && { keep_ttl: keepTtl },
  };
  const { rev = 0 } = await call(request, true, options);
  return { rev };
}

/** `dispatch` of clients. */
export async function dispatch(
  call: KvCaller,
  capability: string,
  payload: KvValue,
  options: KvDispatchCallOptions = {},
): Promise<number> {
  checkCallOptions("dispatch", options);
  requireArgument("capability", capability, "text");
  const { value } = options;
  const request = { action: "DISPATCH", capability, value, payload: checked(payload) };
  return ((await call(request, true, options)).result as { job: number }).job;
}

/** `setMany` of clients. */
export async function setMany(
  call: KvCaller,
  items: readonly KvSetItem[],
  options: KvCallOptions = {},
): Promise<{ rev: number }> {
  checkCallOptions("setMany", options);
  requireList("items", items);
  const { namespace } = options;
  const asked = items.map(({ key, value, ttlMs }) => {
    checkKey(key);
    return { key, value: checked(value), ttl_ms: ttlMs };
  });
  const { rev = 0 } = await call(
    { action: "MSET", items: asked, namespace },
    true,
    options,
  );
  return { rev };
}

/** `delete` of clients. */
export async function remove(
  call: KvCaller,
  key: KvKey,
  options: KvDeleteCallOptions = {},
): Promise<number> {
  checkCallOptions("delete", options);
  const { tree, ifRev } = options;
  const request = {
    ...about("DEL", key, options),
    if_exists: true,
    ...tree && { tree },
    ...ifRev !== undefined && { if_rev: ifRev },
  };
  return (await call(request, true, options)).result as number;
}

/** `increment` of clients. */
export async function increment(
  call: KvCaller,
  key: KvKey,
  by = 1,
  options: KvIncrementCallOptions = {},
): Promise<number> {
  checkCallOptions("increment", options);
  requireArgument("number to add", by, "number");
  const request = { ...about("INCR", key, options), by, ttl_ms: options.ttlMs };
  return (await call(request, true, options)).result as number;
}

/** `ttl` of clients. */
export async function ttl(
  call: KvCaller,
  key: KvKey,
  options: KvGetCallOptions = {},
): Promise<number | undefined> {
  checkCallOptions("ttl", options);
  const { consistency } = options;
  const request = { ...about("TTL", key, options), ...consistency && { consistency } };
  const success = await orNothing(call(request, false, options));
  if (success === undefined) return undefined;
  return success.result === -1 ? Infinity : success.result as number;
}

/** `expire` of clients. */
export async function expire(
  call: KvCaller,
  key: KvKey,
  ttlMs: number,
  options: KvCallOptions = {},
): Promise<boolean> {
  checkCallOptions("expire", options);
  requireArgument("time to live", ttlMs, "duration");
  const request = { ...about("EXPIRE", key, options), ttl_ms: ttlMs };
  return await orNothing(call(request, true, options)) !== undefined;
}

/** `persist` of clients. */
export async function persist(
  call: KvCaller,
  key: KvKey,
  options: KvCallOptions = {},
): Promise<boolean> {
  checkCallOptions("persist", options);
  const found = await orNothing(call(about("PERSIST", key, options), true, options));
  return found?.result === true;
}

/** `transaction` of clients. */
export async function transaction(
  call: KvCaller,
  transaction: KvTransaction,
  options: KvCallOptions = {},
): Promise<KvOutcome> {
  checkCallOptions("transaction", options);
  requireArgument("transaction", transaction, "object");
  const request = { action: "TXN", ...checkedMembers(transaction), namespace: options.namespace };
  const { result, rev = 0 } = await call(request, true, options);
  return { ...result as Omit<KvOutcome, "rev">, rev };
}

/** `exists` of clients. */
export async function exists(
  call: KvCaller,
  key: KvKey,
  options: KvGetCallOptions = {},
): Promise<KvExistence> {
  checkCallOptions("exists", options);
  const { consistency } = options;
  const request = { ...about("EXISTS", key, options), ...consistency && { consistency } };
  return (await call(request, false, options)).result as KvExistence;
}

/** `keys` of clients. */
export function keys(
  call: KvCaller,
  prefix?: KvKey,
  options: KvKeysCallOptions = {},
): AsyncIterableIterator<string> {
  checkCallOptions("keys", options);
  const { depth } = options;
  return list(call, { ...listing("KEYS", "prefix", prefix, options), depth }, options);
}

/** `entries` of clients. */
export function entries(
  call: KvCaller,
  prefix?: KvKey,
  options: KvKeysCallOptions = {},
): AsyncIterableIterator<KvItem> {
  checkCallOptions("entries", options);
  const { depth } = options;
  const request = { ...listing("KEYS", "prefix", prefix, options), depth, values: true };
  return list(call, request, options);
}

/** `children` of clients. */
export function children(
  call: KvCaller,
  key?: KvKey,
  options: KvChildrenCallOptions = {},
): AsyncIterableIterator<string> {
  checkCallOptions("children", options);
  return list(call, listing("CHILDREN", "key", key, options), options);
}

function list<T>(
  call: KvCaller,
  request: Request,
  options: KvChildrenCallOptions,
): AsyncIterableIterator<T> {
  const pageAfter = async (after: string | undefined): Promise<Page<T>> => {
    const { result, next } = await call({ ...request, after }, false, options);
    return { items: result as T[], next };
  };
  return paged(pageAfter, options.after);
}

/** A success; `undefined` when there is no value. */
async function orNothing(call: Promise<Success>): Promise<Success | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KvError && error.reason === "KEY_NOT_FOUND") return undefined;
    throw error;
  }
}
