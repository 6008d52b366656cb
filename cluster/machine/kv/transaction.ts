/**
 * TXN: conditions on some nodes, and what is done when all of them hold, or when one does not; all of it at one moment.
 *
 * A step is a command or a question of one node. One that finds no value has the result `null`; any other failure of a step is that
 * of the whole, and nothing is done.
 *
 * @module
 */

import { compareBytes, concatBytes } from "../../../protocol/bytes.ts";
import { MAX_STEPS } from "../../../protocol/kv/limits.ts";
import { DecodeError, Reader, type Writer } from "../../../protocol/msgpack/mod.ts";
import { encodeCall, type Question } from "../module.ts";
import type { Failure, Result } from "../result.ts";
import { readBytes, readUint } from "../strict.ts";
import { KEY_NOT_FOUND } from "./conditions.ts";
import { del, DELETE, isOfTree } from "./delete.ts";
import { type Change, type Edit, KV } from "./edit.ts";
import { EXPIRE, expire, PERSIST, persist } from "./expiry.ts";
import { INCREMENT, increment } from "./increment.ts";
import { listOf, MAX_TOGETHER_BYTES, TOGETHER_TOO_LARGE } from "./many.ts";
import { GET, get, TTL, ttl } from "./questions.ts";
import { rowRevision, rowText, valueKey } from "./rows.ts";
import { SET, set } from "./set.ts";

/** Number of the command. */
export const TRANSACT = 8;

/** A condition on the node at a path. */
export type Condition =
  & { readonly path: Uint8Array }
  & (
    /** Its last change was this one; 0: it has no value. */
    | { readonly rev: number }
    /** Whether it has a value. */
    | { readonly exists: boolean }
    /** It has this value: the same text of JSON. */
    | { readonly text: Uint8Array }
  );

/** A command or a question, as those who make them give it. */
export interface Step {
  readonly kind: "command" | "question";
  readonly bytes: Uint8Array;
}

/** What a transaction is. */
export interface Transaction {
  readonly conditions: readonly Condition[];
  /** Done when all conditions hold. */
  readonly then: readonly Step[];
  /** Done when one does not. */
  readonly otherwise: readonly Step[];
}

type Perform = (edit: Edit) => Result;

interface Arguments {
  readonly conditions: readonly Condition[];
  readonly then: readonly Perform[];
  readonly otherwise: readonly Perform[];
}

const VERSION = 1;
const KINDS: readonly Step["kind"][] = ["command", "question"];
const CONDITION = { rev: 0, exists: 1, text: 2 } as const;

const encoder = new TextEncoder();
const NULL = encoder.encode("null");
const SUCCEEDED = encoder.encode('{"succeeded":true,"results":');
const NOT_SUCCEEDED = encoder.encode('{"succeeded":false,"results":');
const END = encoder.encode("}");

/**
 * The command that does all of a transaction, or nothing. Its result is an object: `succeeded`, whether the conditions held, and
 * `results`, those of the steps that were done.
 */
export function transactionCommand(
  { conditions, then, otherwise }: Transaction,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, TRANSACT, (writer) => {
    writer.uint(conditions.length);
    for (const condition of conditions) writeCondition(writer, condition);
    for (const steps of [then, otherwise]) {
      writer.uint(steps.length);
      for (const { kind, bytes } of steps) {
        writer.uint(KINDS.indexOf(kind));
        writer.bytes(bytes);
      }
    }
  });
}

/** The command. */
export const transact: Change<Arguments> = {
  since: VERSION,
  read: (reader) => ({
    conditions: readList(reader, readCondition),
    then: readList(reader, readStep),
    otherwise: readList(reader, readStep),
  }),
  perform(edit, { conditions, then, otherwise }) {
    const succeeded = holdAll(edit, conditions);
    if (typeof succeeded !== "boolean") return succeeded;
    const steps = succeeded ? then : otherwise;
    const field = succeeded ? "then" : "else";
    const before = edit.rev;
    return edit.attempt(() => {
      const results: Uint8Array[] = [];
      let size = 0;
      for (const step of steps) {
        const result = step(edit);
        if (!result.ok && result !== KEY_NOT_FOUND) return failureOf(result, field, before);
        const body = result.ok ? result.body : NULL;
        size += body.length;
        if (size > MAX_TOGETHER_BYTES) return { ...TOGETHER_TOO_LARGE, field };
        results.push(body);
      }
      const head = succeeded ? SUCCEEDED : NOT_SUCCEEDED;
      return { ok: true, rev: edit.rev, body: concatBytes([head, listOf(results), END]) };
    });
  },
};

/** The failure of a step. A revision that the transaction itself has made goes with it, and will be that of another change. */
function failureOf({ rev, ...failure }: Failure, field: string, before: number): Failure {
  return { ...failure, field, ...rev !== undefined && rev <= before && { rev } };
}

function holdAll({ state }: Edit, conditions: readonly Condition[]): boolean | Failure {
  let all = true;
  for (const condition of conditions) {
    const key = valueKey(state, condition.path);
    if (!(key instanceof Uint8Array)) return { ...key, field: "if" };
    all &&= holds(condition, state.get(key));
  }
  return all;
}

function holds(condition: Condition, row: Uint8Array | undefined): boolean {
  if ("rev" in condition) return rowRevision(row) === condition.rev;
  if ("exists" in condition) return (row !== undefined) === condition.exists;
  return row !== undefined && compareBytes(rowText(row), condition.text) === 0;
}

function writeCondition(writer: Writer, condition: Condition): void {
  writer.bytes(condition.path);
  if ("rev" in condition) {
    writer.uint(CONDITION.rev);
    writer.uint(condition.rev);
  } else if ("exists" in condition) {
    writer.uint(CONDITION.exists);
    writer.uint(condition.exists ? 1 : 0);
  } else {
    writer.uint(CONDITION.text);
    writer.bytes(condition.text);
  }
}

function readCondition(reader: Reader): Condition {
  const path = readBytes(reader);
  switch (readUint(reader, 0, CONDITION.text)) {
    case CONDITION.rev:
      return { path, rev: readUint(reader, 0, Number.MAX_SAFE_INTEGER) };
    case CONDITION.exists:
      return { path, exists: readUint(reader, 0, 1) === 1 };
    default:
      return { path, text: readBytes(reader) };
  }
}

/** Reads a step with its arguments; the same strictness as for a command of its own. */
function readStep(reader: Reader): Perform {
  const kind = KINDS[readUint(reader, 0, KINDS.length - 1)];
  const call = new Reader(readBytes(reader));
  readUint(call, VERSION, VERSION);
  readUint(call, KV, KV);
  const number = readUint(call, 0, 0xff);
  const read = (kind === "command" ? COMMANDS : QUESTIONS)[number];
  const perform = read?.(call);
  if (perform === undefined || call.remaining > 0) {
    throw new DecodeError(`Expected a step of a transaction, got ${kind} ${number}`);
  }
  return perform;
}

type ReadStep = (reader: Reader) => Perform;

/** A step that changes something; what is `unbounded` is none, since all that it does may have to be undone. */
function changing<Arguments>(
  change: Change<Arguments>,
  unbounded?: (args: Arguments) => boolean,
): ReadStep {
  return (reader) => {
    const args = change.read(reader);
    if (unbounded?.(args)) throw new DecodeError("Expected a step about one node");
    return (edit) => change.perform(edit, args);
  };
}

function asking<Arguments>(question: Question<Arguments>): ReadStep {
  return (reader) => {
    const args = question.read(reader);
    return (edit) => question.answer(edit.state, args, edit.time);
  };
}

const COMMANDS: Readonly<Record<number, ReadStep>> = {
  [SET]: changing(set),
  [DELETE]: changing(del, isOfTree),
  [INCREMENT]: changing(increment),
  [EXPIRE]: changing(expire),
  [PERSIST]: changing(persist),
};

const QUESTIONS: Readonly<Record<number, ReadStep>> = {
  [GET]: asking(get),
  [TTL]: asking(ttl),
};

function readList<T>(reader: Reader, readOne: (reader: Reader) => T): T[] {
  const items: T[] = [];
  for (let left = readUint(reader, 0, MAX_STEPS); left > 0; left--) items.push(readOne(reader));
  return items;
}
