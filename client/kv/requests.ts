/**
 * Requests made of what a program says, and checked before they are sent.
 *
 * @module
 */

import { type KvTransaction, membersOf } from "../../protocol/kv/actions/transaction.ts";
import type { KvKey, KvValue } from "../../protocol/kv/values.ts";
import type { Request } from "./connection.ts";
import { checkKey, type KvCallOptions, type KvChildrenCallOptions } from "./options.ts";

/** The members of TXN, with values that JSON has. */
export function checkedMembers(transaction: KvTransaction): ReturnType<typeof membersOf> {
  for (const part of ["if", "then", "else"] as const) {
    const list = transaction[part] ?? [];
    requireList(`'${part}' of a transaction`, list);
    for (const one of list) {
      checkKey(one.key);
      if ("value" in one && one.value !== undefined) checked(one.value);
    }
  }
  return membersOf(transaction);
}

/** Checks that something is an array; `name` says what it is. */
export function requireList(name: string, list: unknown): void {
  if (!Array.isArray(list)) throw new TypeError(`Invalid ${name}: expected an array`);
}

/** A request about one key. */
export function about(action: string, key: KvKey, { namespace }: KvCallOptions): Request {
  checkKey(key);
  return { action, key, ...namespace !== undefined && { namespace } };
}

/** A request that lists what is below a key. */
export function listing(
  action: string,
  member: string,
  key: KvKey | undefined,
  { namespace, pageSize, consistency }: KvChildrenCallOptions,
): Request {
  if (key !== undefined) checkKey(key);
  return { action, [member]: key, namespace, limit: pageSize, consistency };
}

/** A value, unless JSON would have another one in its place. */
export function checked(value: KvValue): KvValue {
  const refuse = (kind: string): never => {
    throw new TypeError(`Invalid value: expected one that JSON has, got ${kind}`);
  };
  if (value === undefined) refuse("undefined");
  if (typeof value === "number" && !Number.isFinite(value)) refuse(String(value));
  if (typeof value === "function" || typeof value === "symbol") refuse(`a ${typeof value}`);
  if (typeof value === "object") {
    // Goes through all of it, as it will be written.
    JSON.stringify(
      value,
      (_, part) => typeof part === "number" && !Number.isFinite(part) ? refuse(String(part)) : part,
    );
  }
  return value;
}
