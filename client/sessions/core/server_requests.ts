/**
 * Server requests: each is delivered once and in order, and acknowledged when it is.
 *
 * When the program does not read, they are delivered without being acknowledged, so that the server soon sends no more of them;
 * beyond that they are dropped, and come again.
 *
 * @module
 */

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
    effects.push({ type: "deliver", request: { requestId, payload, createdAt } });
  }
  if (state.unread <= MAX_UNREAD) acknowledge(turn, state.delivered);
  else if (requestId <= state.acknowledged) acknowledge(turn, state.acknowledged);
}

/** The program has read some. */
export function taken(turn: Turn, count: number): void {
  const { state } = turn;
  state.unread -= count;
  const isOpen = state.phase === "connected" && state.unread <= MAX_UNREAD;
  if (isOpen && state.acknowledged < state.delivered) acknowledge(turn, state.delivered);
}

function acknowledge({ state, effects }: Turn, requestId: number): void {
  state.acknowledged = requestId;
  effects.push({ type: "send", message: { kind: "serverRequestAck", requestId }, again: false });
}
