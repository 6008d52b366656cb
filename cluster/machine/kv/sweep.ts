/**
 * SWEEP: removes the values that are due by the time of its own entry, on all servers alike.
 *
 * Whoever leads proposes it when something is due by its clock. What it removes is decided when it is applied, so that a value
 * that was set anew meanwhile stays, and nothing goes before its time whatever the clock was that proposed it.
 *
 * Who looks for what is due says from when on, since it knows that all before is gone: a row that was removed lately is passed
 * over one by one by a store, and there may be many.
 *
 * @module
 */

import { DecodeError, Reader, written } from "../../../protocol/msgpack/mod.ts";
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

/** A span of time: both ends belong to it, in milliseconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a sweep has done. */
export interface Swept {
  /** How many values it has removed. */
  readonly count: number;
  /** Nothing is left that was due before. */
  readonly upTo: number;
}

/** The command that removes what is due from a time on, at most {@linkcode MAX_SWEPT} values. Its result is a {@linkcode Swept}. */
export function sweepCommand(from = 0): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, SWEEP, (writer) => {
    writer.uint(from);
    writer.uint(MAX_SWEPT);
  });
}

/**
 * The question when the first value is due of those that are within a span of time; {@linkcode NEVER} when none is, and -1 when
 * none expires at all.
 */
export function dueQuestion({ from, to }: Span): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, KV, DUE, (writer) => {
    writer.uint(from);
    writer.uint(to);
  });
}

/**
 * What a sweep has done, by the body of its result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeSwept(body: Uint8Array): Swept {
  const reader = new Reader(body);
  const swept = {
    count: readUint(reader, 0, MAX_SWEPT),
    upTo: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
  };
  if (reader.remaining > 0) throw new DecodeError(`Sweep has ${reader.remaining} bytes too many`);
  return swept;
}

/** The command. */
export const sweep: Change<{ readonly from: number; readonly limit: number }> = {
  since: VERSION,
  read: (reader) => ({
    from: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    limit: readUint(reader, 1, MAX_SWEPT),
  }),
  perform(edit, { from, limit }) {
    const { state, time, expiring } = edit;
    const values = expiring === 0 ? [] : dueValues(state, from, time, limit);
    for (const { key } of values) {
      const row = state.get(key);
      if (row !== undefined) removeValue(edit, key, row, "expire");
    }
    const upTo = values.length < limit ? time : values.at(-1)?.due ?? time;
    const body = written("rpc", (writer) => {
      writer.uint(values.length);
      writer.uint(upTo);
    });
    return { ok: true, rev: edit.rev, body };
  },
};

/** The question. */
export const due: Question<Span> = {
  since: VERSION,
  read: (reader) => ({
    from: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    to: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
  }),
  answer(state, { from, to }) {
    const first = expiringOf(state) === 0 ? -1 : from > to ? NEVER : firstDue(state, from, to);
    return { ok: true, rev: 0, body: textOfInteger(first) };
  },
};
