/**
 * SWEEP: removes what is over by the time of its own entry, on all servers alike: messages that are kept no longer, what deleted
 * topics have left, producers and groups that were silent for long.
 *
 * Whoever leads proposes it when something is due by its clock. One entry does so much; what is left stays due, for the next one.
 *
 * @module
 */

import { DecodeError, Reader, written } from "../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall, type Question } from "../module.ts";
import { readUint } from "../strict.ts";
import { MAX_SWEPT_ROWS } from "./limits.ts";
import { dueRows, firstDue } from "./rows/due.ts";
import { TOPICS } from "./rows/keys.ts";
import { lookAfter } from "./sweeping/look_after.ts";
import { SweepWork } from "./sweeping/work.ts";

/** Number of the command. */
export const SWEEP = 8;
/** Number of the question. */
export const DUE = 7;

const VERSION = 1;

/** Things that are due, looked at in one entry. */
const MAX_LOOKED_AT = 256;

/** What a sweep has done. */
export interface Swept {
  /** Whether more is due already. */
  readonly more: boolean;
  /** Nothing is left that was due before. */
  readonly upTo: number;
}

/** The command that sweeps what is due from a time on, in milliseconds since 1970. Its result is {@linkcode Swept}. */
export function sweepTopicsCommand(from = 0): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, SWEEP, (writer) => writer.uint(from));
}

/**
 * What a sweep has done, by the body of its result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeTopicsSwept(body: Uint8Array): Swept {
  const reader = new Reader(body);
  const more = readUint(reader, 0, 1) === 1;
  const upTo = readUint(reader, 0, Number.MAX_SAFE_INTEGER);
  if (reader.remaining > 0) throw new DecodeError(`Sweep has ${reader.remaining} bytes too many`);
  return { more, upTo };
}

/** The question when the first is due of what is due from a time on. */
export function topicsDueQuestion(from = 0): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, DUE, (writer) => writer.uint(from));
}

/** When it is, in milliseconds since 1970, by the body of the answer; 0 when nothing is. */
export function decodeTopicsDue(body: Uint8Array): number {
  return readUint(new Reader(body), 0, Number.MAX_SAFE_INTEGER);
}

/** The question. */
export const due: Question<number> = {
  since: VERSION,
  read: (reader) => readUint(reader, 0, Number.MAX_SAFE_INTEGER),
  answer: (state, from) => ({
    ok: true,
    rev: 0,
    body: written("rpc", (writer) => writer.uint(firstDue(state, from))),
  }),
};

/** The command. */
export const sweep: Command<number> = {
  since: VERSION,
  read: (reader) => readUint(reader, 0, Number.MAX_SAFE_INTEGER),
  apply(state, context, from) {
    const { time } = context;
    const rows = from > time ? [] : dueRows(state, from, time, MAX_LOOKED_AT);
    const work = new SweepWork(state, context, MAX_SWEPT_ROWS);
    let left = rows.length === MAX_LOOKED_AT ? rows.at(-1) : undefined;
    for (const row of rows) {
      if (!work.isTired && lookAfter(work, row.due)) {
        state.delete(row.key);
      } else {
        left = row;
        break;
      }
    }
    work.finish();
    const body = written("rpc", (writer) => {
      writer.uint(left === undefined ? 0 : 1);
      writer.uint(left?.time ?? time);
    });
    return { ok: true, rev: 0, body };
  },
};
