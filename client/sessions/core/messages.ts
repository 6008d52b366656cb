/**
 * What each message of a server means.
 *
 * @module
 */

import {
  CLOSED,
  type ClusterInfo,
  MAX_IN_FLIGHT,
  REJECTED,
  type ServerMessage,
  type SessionClosed,
  type SessionRejected,
  type SessionState,
} from "../../../protocol/sessions/mod.ts";
import { SessionBrokenError, SessionExpiredError, SessionRejectedError } from "../errors.ts";
import { askAgain, connected, dropped, forgive, heard, isConnecting } from "./attempts.ts";
import { answer, lowestPending, refuseCommand, refuseQuery, rejectCalls } from "./calls.ts";
import { finish } from "./finish.ts";
import { take } from "./server_requests.ts";
import { type State, tell, type Turn } from "./state.ts";

/** Signs of life are shown at least so many times in the time that the server waits for one. */
const SIGNS_OF_LIFE = 3;

/** Least time between two of them, in milliseconds, whatever the server says. */
const MIN_KEEP_ALIVE_MS = 100;

/** Ids beyond half of the safe integers leave a session that is gone on with no room. */
const MAX_FIRST_ID = Number.MAX_SAFE_INTEGER / 2;

/** Takes a message. */
export function receive(turn: Turn, message: ServerMessage): void {
  const { state } = turn;
  if (state.phase === "disconnected") return;
  heard(turn);
  const { calls, link } = state;
  switch (message.kind) {
    case "sessionCreated":
      if (state.phase === "connecting-new" && message.nonce === link.nonce) {
        connected(turn, message.sessionId);
      }
      return;
    case "sessionContinued":
      if (state.phase !== "connecting-existing" || message.nonce !== link.nonce) return;
      // What is known of it follows.
      link.isContinued = true;
      return;
    case "sessionState":
      return learn(turn, message);
    case "sessionRejected":
      if (isConnecting(state.phase) && message.nonce === link.nonce) rejected(turn, message);
      return;
    case "sessionClosed":
      return closed(turn, message);
    case "clientResponse":
      if (answer(turn, calls.commands.get(message.requestId), message.result)) forgive(link);
      return;
    case "queryResponse":
      if (answer(turn, calls.queries.get(message.correlationId), message.result)) forgive(link);
      return;
    case "requestError": {
      const broken = refuseCommand(turn, message);
      if (broken !== undefined) end(turn, broken);
      return;
    }
    case "queryError":
      return refuseQuery(turn, message);
    case "serverRequest":
      if (state.phase === "connected") take(turn, message);
      return;
    case "clusterInfo":
      return learnMembers(turn, message);
    case "keepAliveResponse":
      return;
  }
}

/**
 * What the server knows of the session. A client that goes on with another's has its numbers from it: none of those which that may
 * still send, in case it lives. Where a client goes on with its own there must be nothing that it does not know: a number that
 * somebody else has used has the answer to something else.
 */
function learn(turn: Turn, told: SessionState): void {
  const { state, now } = turn;
  const { link, calls, settings } = state;
  const wantedMs = Math.max(told.timeoutMs / SIGNS_OF_LIFE, MIN_KEEP_ALIVE_MS);
  link.keepAliveMs = Math.min(settings.keepAliveMs, wantedMs);
  link.keepAliveAt = Math.min(link.keepAliveAt, now + link.keepAliveMs);
  follow(turn, told.leader);
  if (!link.isContinued) return;
  if (!state.mustLearn) {
    if (isStrange(state, told)) return end(turn, new SessionBrokenError());
    return connected(turn, state.sessionId as string);
  }
  const firstId = Math.max(told.highestRequestId, told.floor) + 1 + MAX_IN_FLIGHT;
  if (firstId > MAX_FIRST_ID) return dropped(turn, new Error("Session has no request ids left"));
  state.mustLearn = false;
  calls.highestBefore = told.highestRequestId;
  calls.firstId = calls.nextId = calls.lowest = firstId;
  // Nothing before the first that is not acknowledged comes any more.
  state.delivered = told.lowestUnacked > 0 ? told.lowestUnacked - 1 : told.lastServerRequestId;
  state.acknowledged = state.delivered;
  connected(turn, state.sessionId as string);
}

/** Whether others have asked for something by this session, or taken something of it; or the servers know less of it than before. */
function isStrange(state: State, told: SessionState): boolean {
  const { firstId, nextId, highestBefore } = state.calls;
  const isOwn = firstId <= told.highestRequestId && told.highestRequestId < nextId;
  return !isOwn && told.highestRequestId !== highestBefore || told.floor > lowestPending(state) ||
    told.lowestUnacked > state.delivered + 1 || told.lastServerRequestId < state.delivered;
}

/** The session cannot go on. */
function end(turn: Turn, reason: SessionBrokenError): void {
  tell(turn, { name: "sessionBroken", detail: { reason } });
  finish(turn, reason, "closeSession");
}

function learnMembers(turn: Turn, { members, leader }: ClusterInfo): void {
  const known = members.filter(({ address }) => address !== "");
  turn.state.members = new Map(known.map(({ id, address }) => [id, address]));
  follow(turn, leader);
}

function follow(turn: Turn, id: string): void {
  const leader = id === "" ? undefined : id;
  if (leader === turn.state.leader) return;
  turn.state.leader = leader;
  tell(turn, { name: "leaderChanged", detail: { leader } });
}

function rejected(turn: Turn, { reason, leader }: SessionRejected): void {
  const { link, phase } = turn.state;
  // It was answered: nothing was made by this attempt.
  link.nonce = 0n;
  switch (reason) {
    case REJECTED.invalidCapabilities:
      return finish(turn, new SessionRejectedError("INVALID_CAPABILITIES"));
    case REJECTED.unauthorized:
      return finish(turn, new SessionRejectedError("UNAUTHORIZED"));
    case REJECTED.sessionExpired:
      if (phase === "connecting-existing") return expired(turn);
  }
  dropped(turn, new Error(`Server says ${nameOf(REJECTED, reason)} and gives no session`), leader);
}

function closed(turn: Turn, { reason, leader }: SessionClosed): void {
  const { phase } = turn.state;
  if (reason === CLOSED.sessionExpired && phase !== "connecting-new") return expired(turn);
  dropped(turn, new Error(`Server says ${nameOf(CLOSED, reason)} and closes`), leader);
}

/** A new session takes over what was never sent, if that is wanted. */
function expired(turn: Turn): void {
  const { state } = turn;
  const error = new SessionExpiredError();
  tell(turn, { name: "sessionExpired", detail: { sessionId: state.sessionId } });
  if (!state.settings.renew) return finish(turn, error);
  rejectCalls(turn, error, false);
  state.sessionId = undefined;
  state.mustLearn = false;
  state.calls.highestBefore = 0;
  state.calls.firstId = state.calls.nextId = state.calls.lowest = 1;
  state.delivered = 0;
  state.acknowledged = 0;
  state.undone.clear();
  state.link.nonce = 0n;
  askAgain(turn, error);
}

function nameOf(codes: Readonly<Record<string, number>>, code: number): string {
  return Object.keys(codes).find((name) => codes[name] === code) ?? `reason ${code}`;
}
