/**
 * Server requests: each is delivered once and in order, and acknowledged when it is; a job when it is done, and what follows it with
 * it, since an acknowledgement is of all before.
 *
 * When the program does not read, they are delivered without being acknowledged, so that the server soon sends no more of them;
 * beyond that they are dropped, and come again.
 *
 * @module
 */

import { isJobPush } from "../../../protocol/kv/job.ts";
import type { ServerRequest } from "../../../protocol/sessions/mod.ts";
import type { Turn } from "./state.ts";

/** Unread server requests from which on none is acknowledged. */
export const MAX_UNREAD = 1_000;

/** Server requests that are delivered all the same: more than a server sends without an acknowledgement. */
export const MAX_UNACKNOWLEDGED = 1_000;

/** Takes a server request. */
export function take(turn: Turn, { requestId, payload, createdAt }: ServerRequest): void {
  const { state, effects } = turn;
  if (requestId > state.delivered + 1) return;
  if (requestId === state.delivered + 1) {
    if (state.unread >= MAX_UNREAD + MAX_UNACKNOWLEDGED) return;
    state.delivered = requestId;
    state.unread++;
    if (isJobPush(payload)) state.undone.add(requestId);
    effects.push({ type: "deliver", request: { requestId, payload, createdAt } });
  }
  if (requestId <= state.acknowledged) say(turn, state.acknowledged);
  else if (state.unread <= MAX_UNREAD) acknowledge(turn);
}

/** The program has read some. */
export function taken(turn: Turn, count: number): void {
  const { state } = turn;
  state.unread -= count;
  const isOpen = state.phase === "connected" && state.unread <= MAX_UNREAD;
  if (isOpen) acknowledge(turn);
}

/** The program has done a job of a session. */
export function done(turn: Turn, requestId: number, sessionId: string | undefined): void {
  const { state } = turn;
  if (sessionId !== state.sessionId || !state.undone.delete(requestId)) return;
  const isOpen = state.phase === "connected" && state.unread <= MAX_UNREAD;
  if (isOpen) acknowledge(turn);
}

/** Acknowledges what is delivered, up to the first job that is not done. */
function acknowledge(turn: Turn): void {
  const { delivered, acknowledged, undone: [undone = Infinity] } = turn.state;
  const requestId = Math.min(delivered, undone - 1);
  if (requestId > acknowledged) say(turn, requestId);
}

function say({ state, effects }: Turn, requestId: number): void {
  state.acknowledged = requestId;
  effects.push({ type: "send", message: { kind: "serverRequestAck", requestId }, again: false });
}
