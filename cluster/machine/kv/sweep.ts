/**
 * SWEEP: removes the values that are due by the time of its own entry, on all servers alike.
 *
 * Whoever leads proposes it when something is due by its clock. What it removes is decided when it is applied, so that a value
 * that was set anew meanwhile stays, and nothing goes before its time whatever the clock was that proposed it.
 *
 * @module
 */

import { encodeCall, type Question } from "../module.ts";
import { readUint } from "../strict.ts";
import { type Change, expiringOf, KV } from "./edit.ts";
import { dueValues, firstDue, NEVER, removeValue } from "./rows.ts";
import { textOfInteger } from "./value.ts";

/** Number of the command. */
export const SWEEP = 6;
/** Number of the question. */
export const DUE = 5;

/** Most values that one entry removes: some milliseconds of work. */
export const MAX_SWEPT = 1_000;

const VERSION = 1;

/** The command that removes what is due, at most {@linkcode MAX_SWEPT} values. Its result is how many there were. */
export function sweepCommand(): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, SWEEP, (writer) => writer.uint(MAX_SWEPT));
}

/** The question when the next value is due, in milliseconds since 1970; {@linkcode NEVER} when none expires. */
export function dueQuestion(): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, DUE, () => {});
}

/** The command. */
export const sweep: Change<number> = {
  since: VERSION,
  read: (reader) => readUint(reader, 1, MAX_SWEPT),
  perform(edit, limit) {
    const values = edit.expiring === 0 ? [] : dueValues(edit.state, edit.time, limit);
    for (const { key, due } of values) removeValue(edit, key, due);
    return { ok: true, rev: edit.rev, body: textOfInteger(values.length) };
  },
};

/** The question. */
export const due: Question<void> = {
  since: VERSION,
  read: () => {},
  answer(state) {
    const first = expiringOf(state) === 0 ? NEVER : firstDue(state);
    return { ok: true, rev: 0, body: textOfInteger(first) };
  },
};
