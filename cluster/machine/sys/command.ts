/**
 * COMMAND: a request of a session, executed once however often it comes.
 *
 * Its result, when it is a success, is an answer: what has come of the request, a failure too, and whether a reply tells the
 * revision. The same request of the same session has the same answer as long as its id is not below the floor. A failure is of
 * the session: nothing was executed.
 *
 * @module
 */

import type { JobText } from "../../../protocol/kv/job.ts";
import { bool, Reader, writtenBy } from "../../../protocol/msgpack/mod.ts";
import { type Command, type Context, encodeCall, type Host, type Question } from "../module.ts";
import { readResult, type Result, writeResult } from "../result.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import { SYS } from "./context.ts";
import { handOut, readJob, writeJob } from "./jobs.ts";
import { ANSWERS, rowKey } from "./rows/keys.ts";
import {
  MAX_CACHED_BYTES,
  NOT_ANSWERED,
  RESPONSE_EVICTED,
  SESSION_EXPIRED,
  SESSION_MOVED,
  TOO_MANY_IN_FLIGHT,
  WINDOW,
} from "./limits.ts";
import {
  getSession,
  LEADER,
  NOBODY,
  putSession,
  readSessionId,
  type Session,
} from "./rows/session.ts";
import { readWatch, type SessionWatch, unwatch, watch, writeWatch } from "./watch.ts";

/** Number of the command. */
export const COMMAND = 4;

/** Number of the question. */
export const ANSWER = 5;

/** What a request does. */
export type Deed =
  /** A command or a question of another module. */
  | { readonly kind: "command" | "question"; readonly bytes: Uint8Array }
  /** Begins a watch of the session. */
  | { readonly kind: "watch"; readonly watch: SessionWatch }
  /** Ends the one of a number. */
  | { readonly kind: "unwatch"; readonly number: number }
  /** Hands out a job. */
  | { readonly kind: "dispatch"; readonly job: JobText };

/** A request of a session. */
export interface SessionRequest {
  readonly session: Uint8Array;
  /** Its id among those of the session, from 0 to 2^53-1. */
  readonly id: number;
  /** The lowest id that the client has no answer of: those below are forgotten, and not executed any more. */
  readonly low: number;
  /** Whether a reply tells the revision. */
  readonly tellsRevision: boolean;
  readonly deed: Deed;
  /** The connection that asks: it must have the session. Default: one that the leader knows of, if that is its affair. */
  readonly holder?: number;
}

/** What has come of a request, the same whenever it is asked for. */
export interface Answer {
  readonly result: Result;
  /** Whether a reply tells the revision. */
  readonly tellsRevision: boolean;
}

type Arguments = Omit<SessionRequest, "deed" | "holder"> & {
  readonly holder: number;
  readonly deed:
    | Exclude<Deed, { kind: "watch" }>
    | { readonly kind: "watch"; readonly watch: Required<SessionWatch> };
};

const VERSION = 1;
const KINDS: readonly Deed["kind"][] = ["command", "question", "watch", "unwatch", "dispatch"];

/** When the floor rises by so many ids at most, each is looked for; else those that are there. */
const FEW_IDS = 8;

/** The command that executes a request. Its result is an {@linkcode Answer}. */
export function sessionCommand(
  { session, id, low, tellsRevision, deed, holder = NOBODY }: SessionRequest,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, COMMAND, (writer) => {
    writer.bytes(session);
    writer.uint(id);
    writer.uint(low);
    bool.write(writer, tellsRevision);
    writer.uint(holder);
    writer.uint(KINDS.indexOf(deed.kind));
    if (deed.kind === "watch") writeWatch(writer, deed.watch);
    else if (deed.kind === "unwatch") writer.uint(deed.number);
    else if (deed.kind === "dispatch") writeJob(writer, deed.job);
    else writer.bytes(deed.bytes);
  });
}

/**
 * The question what a request was answered. Its result is that of the command, which executes nothing any more; of one that it would
 * execute the failure is {@linkcode NOT_ANSWERED}.
 */
export function answerQuestion(session: Uint8Array, id: number): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, ANSWER, (writer) => {
    writer.bytes(session);
    writer.uint(id);
  });
}

/**
 * The answer in the body of a result; the body of its own result is a view of it.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeAnswer(body: Uint8Array): Answer {
  const reader = new Reader(body);
  return { tellsRevision: reader.bool(), result: readResult(reader) };
}

/** The command. */
export const command: Command<Arguments> = {
  since: VERSION,
  read: (reader) => ({
    session: readSessionId(reader),
    id: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    low: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    tellsRevision: reader.bool(),
    holder: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    deed: readDeed(reader),
  }),
  apply(state, context, { session: sessionId, id, low, tellsRevision, holder, deed }, host) {
    const session = getSession(state, sessionId);
    if (session === undefined) return SESSION_EXPIRED;
    // What an earlier connection has sent would come after what its client has sent anew.
    if (holder === NOBODY ? session.holder > LEADER : session.holder !== holder) {
      return SESSION_MOVED;
    }
    if (holder !== NOBODY) host.news?.sign(sessionId);
    const { floor } = session;
    raiseFloor(state, session, low);
    const known = answerOf(state, session, id);
    if (known !== undefined) {
      if (session.floor !== floor) putSession(state, session);
      return known;
    }
    const result = execute(state, context, host, session, deed);
    const answer = writtenBy("rpc", (writer) => {
      bool.write(writer, tellsRevision);
      writeResult(writer, result);
      const row = state.allocate(writer.length);
      row.set(writer.view());
      return row;
    });
    state.put(rowKey(state, ANSWERS, session.serial, id), answer);
    session.cached++;
    session.cachedBytes += answer.length;
    session.highest = Math.max(session.highest, id);
    putSession(state, session);
    return { ok: true, rev: 0, body: answer };
  },
};

/** The question. */
export const answer: Question<Pick<SessionRequest, "session" | "id">> = {
  since: VERSION,
  read: (reader) => ({
    session: readSessionId(reader),
    id: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
  }),
  answer(state, { session: sessionId, id }) {
    const session = getSession(state, sessionId);
    return session === undefined ? SESSION_EXPIRED : answerOf(state, session, id) ?? NOT_ANSWERED;
  },
};

function raiseFloor(state: Transaction, session: Session, low: number): void {
  const { floor, serial } = session;
  if (low <= floor) return;
  session.floor = low;
  if (session.cached === 0) return;
  const forget = (key: Uint8Array, answer: Uint8Array): void => {
    state.delete(key);
    session.cached--;
    session.cachedBytes -= answer.length;
  };
  if (low - floor > FEW_IDS) {
    // From the floor on: what is deleted below it may be in memory for a while, and would be passed over.
    const from = rowKey(state, ANSWERS, serial, floor);
    const rows = state.range(from, rowKey(state, ANSWERS, serial, low), WINDOW);
    for (const { key, value } of rows) forget(key, value);
    return;
  }
  for (let id = floor; id < low; id++) {
    const key = rowKey(state, ANSWERS, serial, id);
    const answer = state.get(key);
    if (answer !== undefined) forget(key, answer);
  }
}

/** What is to be said without executing anything; `undefined` when the request is to be executed. */
function answerOf(state: StoreReader, session: Session, id: number): Result | undefined {
  if (id < session.floor) return RESPONSE_EVICTED;
  if (session.cached > 0 && id <= session.highest) {
    const answer = state.get(rowKey(state, ANSWERS, session.serial, id));
    if (answer !== undefined) return { ok: true, rev: 0, body: answer };
  }
  const isTooMuch = id - session.floor >= WINDOW || session.cachedBytes > MAX_CACHED_BYTES;
  return isTooMuch ? TOO_MANY_IN_FLIGHT : undefined;
}

function execute(
  state: Transaction,
  context: Context,
  host: Host,
  session: Session,
  deed: Arguments["deed"],
): Result {
  switch (deed.kind) {
    case "watch":
      return watch(state, context, host, session, deed.watch);
    case "unwatch":
      return unwatch(state, host, session, deed.number);
    case "dispatch":
      return handOut(state, context, host, deed.job, session);
    default:
      return host.run(deed.kind === "command" ? "commands" : "questions", deed.bytes);
  }
}

function readDeed(reader: Reader): Arguments["deed"] {
  const kind = KINDS[readUint(reader, 0, KINDS.length - 1)] as Deed["kind"];
  switch (kind) {
    case "watch":
      return { kind, watch: readWatch(reader) };
    case "unwatch":
      return { kind, number: readUint(reader, 0, Number.MAX_SAFE_INTEGER) };
    case "dispatch":
      return { kind, job: readJob(reader) };
    default:
      return { kind, bytes: readBytes(reader) };
  }
}
