/**
 * The questions about sessions: one, all of them in pages, the server requests of one, and how many there are.
 *
 * @module
 */

import { DecodeError, Reader, type Writer, written } from "../../../protocol/msgpack/mod.ts";
import { encodeCall, type Question } from "../module.ts";
import type { Success } from "../result.ts";
import type { StoreReader } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import { type Capability, getCapabilities, readCapabilities, textOf } from "./rows/capabilities.ts";
import { SYS } from "./context.ts";
import { sessionIdOf, sessionsAfter } from "./rows/keys.ts";
import { SESSION_EXPIRED } from "./limits.ts";
import { pendingRequests, type ServerRequest } from "./rows/requests.ts";
import { getSession, readSessionId, type Session, sessionOf } from "./rows/session.ts";
import { getTotals, type Totals } from "./rows/totals.ts";

/** Numbers of the questions. */
export const SESSION = 1;
/** See {@linkcode SESSION}. */
export const SESSIONS = 2;
/** See {@linkcode SESSION}. */
export const REQUESTS = 3;
/** See {@linkcode SESSION}. */
export const TOTALS = 4;

/** Most sessions of a page. */
export const MAX_LISTED_SESSIONS = 1_000;

/** Most server requests that are read at once. */
export const MAX_READ_REQUESTS = 1_000;

/** Most bytes of what is read at once, but for the first. */
export const MAX_READ_BYTES = 1024 * 1024;

/** Rows that may be long are read so many at a time. */
const FEW = 8;

const VERSION = 1;
const MAX = Number.MAX_SAFE_INTEGER;

/** What is known of a session. */
export interface SessionInfo extends Omit<Session, "key" | "serial" | "queue"> {
  /** What the client has said of itself. */
  readonly capabilities: readonly Capability[];
}

/** Some of all sessions, in the order of their ids. */
export interface SessionPage {
  readonly sessions: readonly SessionInfo[];
  /** Whether others follow. */
  readonly more: boolean;
}

/** Some of the server requests of a session, in the order of their ids. */
export interface RequestPage {
  readonly requests: readonly ServerRequest[];
  /** Whether others follow. */
  readonly more: boolean;
}

/** The question what is known of a session; the failure is {@linkcode SESSION_EXPIRED}. */
export function sessionQuestion(session: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, SESSION, (writer) => writer.bytes(session));
}

/** The question for the sessions after one, or from the first on, at most `limit`, from 1 to {@linkcode MAX_LISTED_SESSIONS}. */
export function sessionsQuestion(
  { after, limit = MAX_LISTED_SESSIONS }: {
    readonly after?: Uint8Array | undefined;
    readonly limit?: number;
  } = {},
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, SESSIONS, (writer) => {
    writer.bytes(after ?? NOTHING);
    writer.uint(limit);
  });
}

/**
 * The question for the server requests of a session that are not acknowledged, from an id on, at most `limit`, from 1 to
 * {@linkcode MAX_READ_REQUESTS}, and of {@linkcode MAX_READ_BYTES}; the failure is {@linkcode SESSION_EXPIRED}.
 */
export function requestsQuestion(
  { session, from = 0, limit = MAX_READ_REQUESTS }: {
    readonly session: Uint8Array;
    readonly from?: number;
    readonly limit?: number;
  },
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, REQUESTS, (writer) => {
    writer.bytes(session);
    writer.uint(from);
    writer.uint(limit);
  });
}

/** The question how much there is of all sessions. */
export function totalsQuestion(): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, TOTALS, () => {});
}

/** The question. */
export const session: Question<Uint8Array> = {
  since: VERSION,
  read: readSessionId,
  answer(state, id) {
    const session = getSession(state, id);
    if (session === undefined) return SESSION_EXPIRED;
    return answerOf((writer) => writeInfo(writer, state, session));
  },
};

/** The question. */
export const sessions: Question<
  { readonly after: Uint8Array | undefined; readonly limit: number }
> = {
  since: VERSION,
  read(reader) {
    const after = readBytes(reader);
    if (after.length > MAX_AFTER_BYTES) throw new DecodeError("Expected the id of a session");
    return {
      after: after.length === 0 ? undefined : after,
      limit: readUint(reader, 1, MAX_LISTED_SESSIONS),
    };
  },
  answer(state, { after, limit }) {
    const { from, to } = sessionsAfter(after);
    const rows = state.range(from, to, limit + 1);
    return answerOf((writer) => {
      writer.uint(rows.length > limit ? 1 : 0);
      for (const { key, value } of rows.slice(0, limit)) {
        writeInfo(writer, state, sessionOf(key, sessionIdOf(key), value));
      }
    });
  },
};

/** The question. */
export const requests: Question<
  { readonly session: Uint8Array; readonly from: number; readonly limit: number }
> = {
  since: VERSION,
  read: (reader) => ({
    session: readSessionId(reader),
    from: readUint(reader, 0, MAX),
    limit: readUint(reader, 1, MAX_READ_REQUESTS),
  }),
  answer(state, { session: id, from, limit }) {
    const session = getSession(state, id);
    if (session === undefined) return SESSION_EXPIRED;
    const found = requestsFrom(state, session, from, limit);
    const more = (found.at(-1)?.id ?? MAX) < session.lastRequest;
    return answerOf((writer) => {
      writer.uint(more ? 1 : 0);
      for (const { id, createdAt, payload } of found) {
        writer.uint(id);
        writer.uint(createdAt);
        writer.bytes(payload);
      }
    });
  },
};

/** The question. */
export const totals: Question<void> = {
  since: VERSION,
  read: () => {},
  answer(state) {
    const totals = getTotals(state);
    return answerOf((writer) => {
      for (const name of TOTAL_NAMES) writer.uint(totals[name]);
    });
  },
};

/**
 * What is known of a session, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeSession(body: Uint8Array): SessionInfo {
  return decoded(body, readInfo);
}

/**
 * A page of sessions, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeSessions(body: Uint8Array): SessionPage {
  return decoded(body, (reader) => {
    const more = readUint(reader, 0, 1) === 1;
    const sessions: SessionInfo[] = [];
    while (reader.remaining > 0) sessions.push(readInfo(reader));
    return { sessions, more };
  });
}

/**
 * Server requests of a session, by the body of the answer; their payloads are views of it.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeRequests(body: Uint8Array): RequestPage {
  return decoded(body, (reader) => {
    const more = readUint(reader, 0, 1) === 1;
    const requests: ServerRequest[] = [];
    while (reader.remaining > 0) {
      requests.push({
        id: readUint(reader, 1, MAX),
        createdAt: readUint(reader, 0, MAX),
        payload: readBytes(reader),
      });
    }
    return { requests, more };
  });
}

/**
 * How much there is, by the body of the answer.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeTotals(body: Uint8Array): Omit<Totals, "lastSerial" | "lastJob"> {
  return decoded(body, (reader) => {
    return Object.fromEntries(
      TOTAL_NAMES.map((name) => [name, readUint(reader, 0, MAX)]),
    ) as Record<(typeof TOTAL_NAMES)[number], number>;
  });
}

const NOTHING = new Uint8Array();
const MAX_AFTER_BYTES = 64;

const TOTAL_NAMES = [
  "sessions",
  "pending",
  "pendingBytes",
  "watches",
  "leavings",
  "jobs",
  "jobBytes",
  "waitingJobs",
] as const satisfies readonly (keyof Totals)[];

const INFO_NAMES = [
  "createdAt",
  "floor",
  "highest",
  "lastRequest",
  "firstPending",
  "lastWatch",
  "cached",
  "cachedBytes",
  "pending",
  "pendingBytes",
  "watches",
  "holder",
  "jobs",
] as const satisfies readonly (keyof Session)[];

/** Those from an id on, as many as there may be at once. */
function requestsFrom(
  state: StoreReader,
  session: Session,
  from: number,
  limit: number,
): ServerRequest[] {
  const found: ServerRequest[] = [];
  let bytes = 0;
  for (let next = from;;) {
    const few = pendingRequests(state, session, next, Math.min(FEW, limit - found.length));
    for (const request of few) {
      bytes += request.payload.length;
      if (found.length > 0 && bytes > MAX_READ_BYTES) return found;
      found.push(request);
      next = request.id + 1;
    }
    if (few.length < FEW) return found;
  }
}

function writeInfo(writer: Writer, state: StoreReader, session: Session): void {
  writer.bytes(session.id);
  for (const name of INFO_NAMES) writer.uint(session[name]);
  const capabilities = getCapabilities(state, session.serial);
  writer.uint(capabilities.length);
  for (const [name, value] of capabilities) {
    writer.bytes(name);
    writer.bytes(value);
  }
}

function readInfo(reader: Reader): SessionInfo {
  const id = readSessionId(reader);
  const numbers = Object.fromEntries(
    INFO_NAMES.map((name) => [name, readUint(reader, 0, MAX)]),
  ) as Record<(typeof INFO_NAMES)[number], number>;
  const capabilities = readCapabilities(reader).map(([name, value]): Capability => {
    const [nameText, valueText] = [textOf(name), textOf(value)];
    if (nameText !== undefined && valueText !== undefined) return [nameText, valueText];
    throw new DecodeError("Expected capabilities as texts");
  });
  return { id, ...numbers, capabilities };
}

function answerOf(write: (writer: Writer) => void): Success {
  return { ok: true, rev: 0, body: written("rpc", write) };
}

function decoded<T>(body: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(body);
  const value = read(reader);
  if (reader.remaining === 0) return value;
  throw new DecodeError(`Answer has ${reader.remaining} bytes too many`);
}
