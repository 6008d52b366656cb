/**
 * The core of a session: one function of what is known, what happens and when to what is to be done.
 *
 * It knows no clock, no chance and no socket: the driver has them. The state it is given is changed.
 *
 * @module
 */

import {
  ask,
  begin,
  dropped,
  heard,
  isConnecting,
  passTime as passLinkTime,
  patienceMs,
} from "./attempts.ts";
import { forget, passTime as passCallTime, reject, sendQueued, submit, waiting } from "./calls.ts";
import { finish } from "./finish.ts";
import type { Chance, Effect, Input } from "./inputs.ts";
import { receive } from "./messages.ts";
import { done, taken } from "./server_requests.ts";
import type { State, Turn } from "./state.ts";

/** How exactly calls are given up and sent again, in milliseconds. */
const GRANULARITY_MS = 100;

/** Takes what has happened at `now`, and tells what is to be done, in this order. */
export function step(state: State, input: Input, now: number, chance: Chance): Effect[] {
  const turn: Turn = { state, now, chance, effects: [] };
  switch (input.type) {
    case "connect":
      if (state.phase === "disconnected" && !state.isOver) begin(turn);
      break;
    case "close":
      finish(turn, undefined, input.keep ? "connectionClosed" : "closeSession");
      break;
    case "submit":
      if (state.end === undefined) submit(turn, input.call);
      else reject(turn, input.call, state.end);
      break;
    case "abandon":
      if (forget(state, input.call)) sendQueued(turn);
      break;
    case "opened":
      ask(turn);
      break;
    case "lost":
      dropped(turn, input.error);
      break;
    case "message":
      receive(turn, input.message);
      break;
    case "heard":
      heard(turn);
      break;
    case "taken":
      taken(turn, input.count);
      break;
    case "done":
      done(turn, input.requestId, input.sessionId);
      break;
    case "tick":
      passCallTime(turn);
      passLinkTime(turn);
  }
  return turn.effects;
}

/** When the core wants to know that time has passed; `Infinity` when it does not. */
export function wakeAt(state: State, now: number): number {
  const { link, phase } = state;
  const calls = waiting(state) > 0 ? now + GRANULARITY_MS : Infinity;
  if (phase === "connected") {
    return Math.min(calls, link.keepAliveAt, link.askedAt + patienceMs(state));
  }
  return isConnecting(phase) ? Math.min(calls, link.until, link.dialAt) : calls;
}
