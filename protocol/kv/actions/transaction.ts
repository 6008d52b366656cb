/**
 * Transactions: as the wire has them, and as programs say them.
 *
 * @module
 */

import { isNoKey, isNoRevision, isNoText } from "./checks.ts";
import { MAX_STEPS } from "../limits.ts";
import type { Members } from "../request.ts";
import type { KvKey, KvValue } from "../values.ts";

/** A condition on one node, with one of `rev`, `exists` and `value`. */
export interface ConditionRequest {
  readonly key: string | readonly string[];
  readonly namespace?: string;
  /** The revision of its last change; 0: it has no value. */
  readonly rev?: number;
  /** Whether it has a value. */
  readonly exists?: boolean;
  /** Its value. */
  readonly value?: unknown;
}

/** A request about one node that is part of a transaction. */
export interface StepRequest {
  readonly action: string;
  readonly key: string | readonly string[];
  readonly namespace?: string;
  readonly [member: string]: unknown;
}

/** TXN. */
export interface TransactionRequest {
  readonly if?: readonly ConditionRequest[];
  /** What is done when all conditions hold. */
  readonly then?: readonly StepRequest[];
  /** What is done when one does not. */
  readonly else?: readonly StepRequest[];
  /** Namespace of keys that have none of their own. */
  readonly namespace?: string;
}

/**
 * A condition of a transaction: a key, and one of `rev`, `exists` and `value`.
 *
 * @example
 * ```ts
 * import type { KvCondition } from "@skein/agent";
 *
 * const conditions: KvCondition[] = [{ key: "a", exists: false }, { key: "b", rev: 7 }, { key: "c", value: "on" }];
 * console.log(conditions);
 * ```
 */
export interface KvCondition {
  /** The key. */
  readonly key: KvKey;
  /** The revision of its last change; 0: it has no value. */
  readonly rev?: number;
  /** Whether it has a value. */
  readonly exists?: boolean;
  /** Its value: the same JSON, with members of objects in the same order. */
  readonly value?: KvValue;
}

/**
 * A step of a transaction, as the method of that name does it.
 *
 * @example
 * ```ts
 * import type { KvStep } from "@skein/agent";
 *
 * const steps: KvStep[] = [
 *   { action: "set", key: "a", value: 1, ttlMs: 60_000 },
 *   { action: "increment", key: "n" },
 *   { action: "get", key: "b" },
 * ];
 * console.log(steps);
 * ```
 */
export type KvStep =
  | {
    /** Sets a value. */
    readonly action: "set";
    readonly key: KvKey;
    readonly value: KvValue;
    readonly ttlMs?: number;
    readonly keepTtl?: boolean;
    readonly nx?: boolean;
    readonly xx?: boolean;
    readonly ifRev?: number;
    /** Its result is the value before. */
    readonly get?: boolean;
  }
  | {
    /** Deletes a value. Its result is 1. */
    readonly action: "delete";
    readonly key: KvKey;
    readonly ifRev?: number;
  }
  | {
    /** Adds to a whole number. */
    readonly action: "increment";
    readonly key: KvKey;
    readonly by?: number;
    readonly ttlMs?: number;
  }
  | {
    /** Has a value go by itself. */
    readonly action: "expire";
    readonly key: KvKey;
    readonly ttlMs: number;
  }
  | {
    /** Gets a value, has it stay, or tells how many milliseconds it has left, -1 when it stays. */
    readonly action: "get" | "persist" | "ttl";
    readonly key: KvKey;
  };

/**
 * A transaction: what is done when all conditions hold, and what when one does not.
 *
 * @example
 * ```ts
 * import { Agent, type KvTransaction } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const move: KvTransaction = {
 *   if: [{ key: "from", exists: true }, { key: "to", exists: false }],
 *   then: [{ action: "delete", key: "from" }, { action: "set", key: "to", value: 1 }],
 *   else: [{ action: "get", key: "to" }],
 * };
 * console.log((await agent.kv.transaction(move)).succeeded); // false
 * ```
 */
export interface KvTransaction {
  /** All of these, or `else` is done. Default: none, so that `then` is done. */
  readonly if?: readonly KvCondition[];
  /** What is done when all conditions hold; at most 128 steps. */
  readonly then?: readonly KvStep[];
  /** What is done when one does not; at most 128 steps. */
  readonly else?: readonly KvStep[];
}

/**
 * What came of a transaction.
 *
 * @example
 * ```ts
 * import { Agent, type KvOutcome } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const outcome: KvOutcome = await agent.kv.transaction({ then: [{ action: "increment", key: "n" }] });
 * console.log(outcome); // { succeeded: true, results: [1], rev: 1 }
 * ```
 */
export interface KvOutcome {
  /** Whether all conditions held. */
  readonly succeeded: boolean;
  /** What came of the steps that were done, `null` where there was no value. */
  readonly results: readonly KvValue[];
  /** The revision of the change; when nothing was changed, that of the last change before. */
  readonly rev: number;
}

/**
 * The members of TXN for a transaction of a program.
 *
 * @throws {TypeError} when a step has no such action
 */
export function membersOf(
  { if: conditions = [], then = [], else: otherwise = [] }: KvTransaction,
): TransactionRequest {
  return { if: conditions, then: then.map(stepOf), else: otherwise.map(stepOf) };
}

/** The member of a TXN that is wrong; `steps` checks the steps by their actions. */
export function wrongTransaction(
  request: Members,
  steps: Readonly<Record<string, (step: Members) => string | undefined>>,
): string | undefined {
  const { if: conditions = [], then = [], else: otherwise = [], namespace } = request;
  const isStep = (step: Members): boolean => {
    const name = nameOf(step);
    return Object.hasOwn(steps, name) && steps[name]?.(step) === undefined;
  };
  if (!isListOf(conditions, isCondition)) return "if";
  if (!isListOf(then, isStep)) return "then";
  if (!isListOf(otherwise, isStep)) return "else";
  return isNoText(namespace) ? "namespace" : undefined;
}

/** The member of a right TXN that has a part with a member which is not known; `known` tells those of an action. */
export function unknownInTransaction(
  { if: conditions = [], then = [], else: otherwise = [] }: Members,
  known: (action: string) => readonly string[],
): string | undefined {
  const isOdd = (step: Members): boolean => hasOthers(step, ["action", ...known(nameOf(step))]);
  if ((conditions as readonly Members[]).some((one) => hasOthers(one, CONDITION))) return "if";
  if ((then as readonly Members[]).some(isOdd)) return "then";
  return (otherwise as readonly Members[]).some(isOdd) ? "else" : undefined;
}

/** Whether there are members besides these. */
export function hasOthers(members: Members, known: readonly string[]): boolean {
  return Object.keys(members).some((name) => !known.includes(name));
}

/** The members of a condition. */
const CONDITION: readonly string[] = ["key", "namespace", "rev", "exists", "value"];

/** The action of a step, in capital letters. */
export function nameOf({ action }: Members | StepRequest): string {
  return typeof action === "string" && /^[a-z]{1,16}$/i.test(action) ? action.toUpperCase() : "";
}

const NAMES = {
  set: "SET",
  get: "GET",
  delete: "DEL",
  increment: "INCR",
  expire: "EXPIRE",
  persist: "PERSIST",
  ttl: "TTL",
} as const;

function stepOf(step: KvStep): StepRequest {
  const { action, ttlMs, keepTtl, ifRev, ...rest } = step as
    & KvStep
    & { readonly ttlMs?: number; readonly keepTtl?: boolean; readonly ifRev?: number };
  if (!Object.hasOwn(NAMES, action)) {
    const names = Object.keys(NAMES).join(", ");
    throw new TypeError(`Unknown action '${action}' of a step, expected one of ${names}`);
  }
  return { ...rest, action: NAMES[action], ttl_ms: ttlMs, keep_ttl: keepTtl, if_rev: ifRev };
}

function isCondition({ key, namespace, rev, exists, value }: Members): boolean {
  if (isNoKey(key) || isNoText(namespace)) return false;
  const given = [rev, exists, value].filter((one) => one !== undefined);
  return given.length === 1 && !isNoRevision(rev) &&
    (exists === undefined || typeof exists === "boolean");
}

function isListOf(list: unknown, isRight: (item: Members) => boolean): boolean {
  return Array.isArray(list) && list.length <= MAX_STEPS &&
    list.every((item) => typeof item === "object" && item !== null && isRight(item));
}
