/**
 * What operators ask about sessions, and do about them.
 *
 * @module
 */

import {
  decodeSession,
  decodeSessions,
  expireSessionsCommand,
  type Failure,
  LEADER,
  type Result,
  type SessionInfo,
  sessionQuestion,
  sessionsQuestion,
  type Success,
} from "../../../cluster/machine/mod.ts";
import type { StateService } from "../service.ts";
import { idOfText, textOfId } from "./ids.ts";
import type { Sessions } from "./sessions.ts";

/** It could not be done. The message says why. */
export class SessionAdministrationError extends Error {
  /** "SessionAdministrationError". */
  override readonly name = "SessionAdministrationError";
}

/** One session. Times are milliseconds since 1970. */
export interface SessionReport {
  readonly id: string;
  readonly created_at: number;
  /** Whether it is on a connection; `null` where that is not known: only the leader knows. */
  readonly connected: boolean | null;
  /** What its client says of itself. */
  readonly capabilities: Readonly<Record<string, string>>;
  /** The lowest request that is answered, and the highest that was executed. */
  readonly floor: number;
  readonly highest_request: number;
  /** Answers that are kept. */
  readonly answers: number;
  readonly answer_bytes: number;
  /** The newest server request, and those that are not acknowledged. */
  readonly last_server_request: number;
  readonly pending: number;
  readonly pending_bytes: number;
  readonly watches: number;
}

/** Some of all sessions, in the order of their ids. */
export interface SessionList {
  readonly sessions: readonly SessionReport[];
  /** What the next ones follow; `null` when there are none. */
  readonly next: string | null;
}

/** What is administered. */
export interface SessionServer extends Pick<StateService, "propose" | "query"> {
  readonly sessions: Sessions;
}

/** How long an operation may take, in milliseconds. */
const LIMIT_MS = 5_000;

/** Sessions of a page. */
const PAGE = 500;

/** Digits of an id that are enough when only one session has them. */
const LEAST_DIGITS = 4;

/**
 * Does one action at a server: `list` tells a page of sessions, those after `session`; `show` one, `end` ends one, whose id, or
 * whose beginning, `session` is.
 *
 * Rejects with {@linkcode SessionAdministrationError}.
 */
export async function administerSessions(
  server: SessionServer,
  action: string,
  session: string,
): Promise<unknown> {
  switch (action) {
    case "list":
      return await list(server, session);
    case "show":
      return await show(server, await find(server, session));
    case "end":
      return await end(server, await find(server, session));
  }
  throw new SessionAdministrationError(
    `Unknown action '${action}', expected one of list, show, end`,
  );
}

async function list(server: SessionServer, after: string): Promise<SessionList> {
  const id = after === "" ? undefined : idOfText(after);
  if (after !== "" && id === undefined) throw unknown(after);
  const { sessions, more } = await page(server, id, PAGE);
  const last = sessions.at(-1)?.id;
  return {
    sessions: sessions.map((info) => reportOf(server, info)),
    next: more && last !== undefined ? textOfId(last) : null,
  };
}

async function show(server: SessionServer, id: Uint8Array): Promise<SessionReport> {
  const { body } = succeeded(await ask(server, sessionQuestion(id)), id);
  return reportOf(server, decodeSession(body));
}

async function end(server: SessionServer, id: Uint8Array): Promise<{ done: true }> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  server.propose(expireSessionsCommand([id]), LIMIT_MS, resolve);
  succeeded(await promise, id);
  return { done: true };
}

/** The id of a session that is told by it, or by its beginning. */
async function find(server: SessionServer, text: string): Promise<Uint8Array> {
  const whole = idOfText(text);
  if (whole !== undefined) {
    succeeded(await ask(server, sessionQuestion(whole)), whole);
    return whole;
  }
  if (text.length < LEAST_DIGITS || !/^[0-9a-f]*$/.test(text)) throw unknown(text);
  // In order the ids that begin so come right after that.
  const before = Uint8Array.fromHex(text.padEnd(text.length + text.length % 2, "0"));
  const { sessions } = await page(server, before, 2);
  const found = sessions.filter(({ id }) => textOfId(id).startsWith(text));
  const [one] = found;
  if (one === undefined) throw unknown(text);
  if (found.length === 1) return one.id;
  throw new SessionAdministrationError(`More than one session begins with '${text}'`);
}

async function page(server: SessionServer, after: Uint8Array | undefined, limit: number) {
  return decodeSessions(succeeded(await ask(server, sessionsQuestion({ after, limit }))).body);
}

async function ask(server: SessionServer, question: Uint8Array): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  server.query(question, "linearizable", LIMIT_MS, ({ result }) => resolve(result));
  return await promise;
}

function succeeded(result: Result, id?: Uint8Array): Success {
  if (result.ok) return result;
  throw id !== undefined && result.code === 410
    ? unknown(textOfId(id))
    : new SessionAdministrationError(reasonOf(result));
}

function reasonOf({ reason }: Failure): string {
  return reason === "NO_LEADER"
    ? "No leader is known, or it does not answer"
    : `It could not be done: ${reason}`;
}

function unknown(text: string): SessionAdministrationError {
  return new SessionAdministrationError(`No session '${text}'`);
}

function reportOf({ sessions: { leading } }: SessionServer, info: SessionInfo): SessionReport {
  const id = textOfId(info.id);
  return {
    id,
    created_at: info.createdAt,
    connected: info.holder > LEADER || (leading?.isBound(id) ?? null),
    capabilities: Object.fromEntries(info.capabilities),
    floor: info.floor,
    highest_request: info.highest,
    answers: info.cached,
    answer_bytes: info.cachedBytes,
    last_server_request: info.lastRequest,
    pending: info.pending,
    pending_bytes: info.pendingBytes,
    watches: info.watches,
  };
}
