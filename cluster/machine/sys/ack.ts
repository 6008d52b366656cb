/**
 * ACK: sessions have got their server requests up to an id; these are forgotten.
 *
 * @module
 */

import { DecodeError, Reader, written } from "../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall } from "../module.ts";
import type { StoreReader } from "../store/store.ts";
import { readUint } from "../strict.ts";
import { SYS } from "./context.ts";
import { feed, finishJobs } from "./jobs.ts";
import { JOB_ROWS, MAX_ACKED_ROWS, MAX_ACKS } from "./limits.ts";
import { pendingRequests, removeRequests } from "./rows/requests.ts";
import { getSession, LEADER, putSession, readSessionId, type Session } from "./rows/session.ts";
import { getTotals, putTotals } from "./rows/totals.ts";

/** Number of the command. */
export const ACK = 5;

/** What a session acknowledges. */
export interface Ack {
  readonly session: Uint8Array;
  /** All server requests up to this one. */
  readonly upTo: number;
}

const VERSION = 1;

/**
 * The command that forgets what sessions acknowledge, at most {@linkcode MAX_ACKS}. Its result is how many of the
 * acknowledgements are done: the others, from there on, are to be proposed again, since one entry removes at most
 * {@linkcode MAX_ACKED_ROWS}.
 */
export function ackCommand(acks: readonly Ack[]): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, ACK, (writer) => {
    writer.uint(acks.length);
    for (const { session, upTo } of acks) {
      writer.bytes(session);
      writer.uint(upTo);
    }
  });
}

/**
 * How many acknowledgements are done, by the body of the result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeAcked(body: Uint8Array): number {
  const reader = new Reader(body);
  const done = readUint(reader, 0, MAX_ACKS);
  if (reader.remaining > 0) throw new DecodeError(`Acks have ${reader.remaining} bytes too many`);
  return done;
}

/** The command. */
export const ack: Command<readonly Ack[]> = {
  since: VERSION,
  read(reader) {
    const acks: Ack[] = [];
    for (let left = readUint(reader, 0, MAX_ACKS); left > 0; left--) {
      acks.push({
        session: readSessionId(reader),
        upTo: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
      });
    }
    return acks;
  },
  apply(state, context, acks, host) {
    const totals = getTotals(state);
    let room = MAX_ACKED_ROWS;
    let done = 0;
    for (const { session: id, upTo } of acks) {
      const session = getSession(state, id);
      if (session !== undefined) {
        if (session.holder > LEADER) host.news?.sign(id);
        room -= removeRequests(state, totals, session, upTo, room);
        const first = room > 0 ? Math.min(upTo, session.lastRequest) + 1 : firstOf(state, session);
        if (first > session.firstPending) {
          session.firstPending = first;
          finishJobs(state, totals, session, first);
          const fed = feed({ state, context, host, totals }, session);
          room = Math.max(0, room - fed * JOB_ROWS);
          putSession(state, session);
        }
      }
      if (room === 0) break;
      done++;
    }
    if (room < MAX_ACKED_ROWS) putTotals(state, totals);
    return { ok: true, rev: 0, body: written("rpc", (writer) => writer.uint(done)) };
  },
};

function firstOf(state: StoreReader, session: Session): number {
  const [first] = pendingRequests(state, session, 0, 1);
  return first?.id ?? session.lastRequest + 1;
}
