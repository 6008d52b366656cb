/**
 * TXN: conditions and steps become one command, each step by what makes a command or a question of it when it comes alone.
 *
 * @module
 */

import {
  type Condition,
  MAX_TOGETHER_BYTES,
  MAX_VALUE_TEXT_BYTES,
  resolvePath,
  type Step,
  textOfValue,
  transactionCommand,
} from "../../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import type {
  ConditionRequest,
  StepRequest,
  TransactionRequest,
} from "../../../protocol/kv/mod.ts";
import { nameOf } from "../../../protocol/kv/actions/transaction.ts";
import type { Doing, NamedNode, Several } from "../action.ts";
import { within } from "./many.ts";
import { del, expire, get, increment, persist, set, ttl } from "./values.ts";

/** TXN. */
export const transaction: Doing = {
  kind: "several",
  make(request, use): Several | Failure {
    const { if: conditions = [], then = [], else: otherwise = [], namespace } =
      request as TransactionRequest;
    const place = { ofAll: namespace, use };
    const nodes: NamedNode[] = [];
    const tests = eachOf(conditions, (one) => conditionOf(one, place, nodes));
    if (!Array.isArray(tests)) return within("if", tests);
    const [whenTrue, whenFalse] = [then, otherwise].map((steps) =>
      eachOf(steps, (step) => stepOf(step, place, nodes))
    ) as [Made<Step>, Made<Step>];
    if (!Array.isArray(whenTrue)) return within("then", whenTrue);
    if (!Array.isArray(whenFalse)) return within("else", whenFalse);
    const bytes = transactionCommand({ conditions: tests, then: whenTrue, otherwise: whenFalse });
    if (bytes.length > MAX_TRANSACTION_BYTES) return TOO_LARGE;
    return {
      kind: "command",
      bytes,
      nodes,
      mostTold: Math.max(mostTold(then), mostTold(otherwise)),
    };
  },
};

/** Most bytes of the values that steps tell; a value that a step sets has come before. */
function mostTold(steps: readonly StepRequest[]): number {
  const values = steps.filter((step) => nameOf(step) === "GET").length;
  return Math.min(values * MAX_VALUE_TEXT_BYTES, MAX_TOGETHER_BYTES);
}

/** Longest command, in bytes: more than a line takes, but for numbers that are longer when they are written out. */
export const MAX_TRANSACTION_BYTES = 2_000_000;

const TOO_LARGE: Failure = { ok: false, code: 413, reason: "VALUE_TOO_LARGE", field: "then" };

const STEPS: Readonly<Record<string, Doing>> = {
  SET: set,
  GET: get,
  DEL: del,
  INCR: increment(1),
  DECR: increment(-1),
  TTL: ttl,
  EXPIRE: expire,
  PERSIST: persist,
};

/** Where keys are that name no namespace: as the whole transaction says, or the connection. */
interface Place {
  readonly ofAll: string | undefined;
  readonly use: string;
}

function conditionOf(
  { key, namespace, rev, exists, value }: ConditionRequest,
  { ofAll, use }: Place,
  nodes: NamedNode[],
): Condition | Failure {
  const path = resolvePath(key, namespace ?? ofAll, use);
  if (!(path instanceof Uint8Array)) return path;
  nodes.push({ path, touch: "reads" });
  if (rev !== undefined) return { path, rev };
  if (exists !== undefined) return { path, exists };
  const text = textOfValue(value);
  return text instanceof Uint8Array ? { path, text } : text;
}

function stepOf(
  step: StepRequest,
  { ofAll, use }: Place,
  nodes: NamedNode[],
): Step | Failure {
  const doing = STEPS[nameOf(step)];
  if (doing?.kind !== "command" && doing?.kind !== "question") {
    throw new RangeError(`Expected a step of a transaction, got '${step.action}'`);
  }
  const path = resolvePath(step.key, step.namespace ?? ofAll, use);
  if (!(path instanceof Uint8Array)) return path;
  nodes.push({ path, touch: doing.kind === "command" ? "changes" : "reads" });
  const bytes = doing.make(path, step);
  return bytes instanceof Uint8Array ? { kind: doing.kind, bytes } : bytes;
}

type Made<T> = T[] | Failure;

function eachOf<T, R extends object>(list: readonly T[], make: (item: T) => R | Failure): Made<R> {
  const made: R[] = [];
  for (const item of list) {
    const one = make(item);
    if ("ok" in one) return one as Failure;
    made.push(one as R);
  }
  return made;
}
