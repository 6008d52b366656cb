/**
 * The way to the server that leads: one after the other is asked for the session, or the one that another names.
 *
 * @module
 */

import type { ClientMessage } from "../../../protocol/sessions/mod.ts";
import { ConnectError } from "../../net/errors.ts";
import { sendAll } from "./calls.ts";
import { about, type Link, type Phase, type State, tell, type Turn } from "./state.ts";

/** Pauses after attempts that failed, in milliseconds: each is twice the one before, up to the longest. */
const PAUSE_MS = { first: 100, longest: 2_000 } as const;

/** Hints that are followed without a pause, one after the other. */
const MAX_REDIRECTS = 2;

/** What a slow connection takes, in bytes a millisecond. */
const SLOW_BYTES_PER_MS = 64;

/** Looks for a server that gives the session. */
export function begin(turn: Turn): void {
  const { state } = turn;
  state.phase = state.sessionId === undefined ? "connecting-new" : "connecting-existing";
  dial(turn, nextAddress(turn));
}

/** Asks for the session on the connection that has come about. */
export function ask(turn: Turn): void {
  const { settings: { token, capabilities }, sessionId, link, phase } = turn.state;
  if (!isConnecting(phase)) return;
  // A server that has no such session knows by that alone that it may tell where the others are.
  const isGoingOn = sessionId !== undefined;
  if (token !== undefined || isGoingOn) send(turn, { kind: "hello", token: token ?? "", flags: 0 });
  // An attempt without an answer may have made a session: asked for with the same nonce, it is that one.
  if (link.nonce === 0n) link.nonce = turn.chance.nonce();
  const { nonce } = link;
  send(
    turn,
    sessionId === undefined
      ? { kind: "createSession", capabilities, nonce }
      : { kind: "continueSession", sessionId, nonce },
  );
}

/** The session is there. */
export function connected(turn: Turn, sessionId: string): void {
  const { state, now } = turn;
  const { link } = state;
  state.phase = "connected";
  state.sessionId = sessionId;
  link.until = Infinity;
  link.nonce = 0n;
  link.isContinued = false;
  link.connectedAt = now;
  link.keepAliveAt = now + link.keepAliveMs;
  link.askedAt = Infinity;
  tell(turn, { name: "connected", detail: { sessionId } });
  sendAll(turn);
}

/** The connection is of no use. The next server is asked after a pause, or at once that which leads. */
export function dropped(turn: Turn, reason: Error, leader?: string): void {
  const { state, now, effects } = turn;
  const { link, phase, settings } = state;
  if (phase === "disconnected") return;
  if (phase === "connected") {
    state.phase = "connecting-existing";
    // One that gives the session and drops it again, time after time, without an answer in between, is asked ever more seldom.
    if (now - link.connectedAt >= settings.attemptMs) forgive(link);
    tell(turn, { name: "reconnecting", detail: { reason } });
  }
  link.reason = reason;
  link.isContinued = false;
  link.keepAliveAt = Infinity;
  const hint = leader === undefined ? undefined : state.members.get(leader);
  if (hint !== undefined && link.redirects < MAX_REDIRECTS) {
    link.redirects++;
    return dial(turn, hint);
  }
  effects.push({ type: "hang-up" });
  link.redirects = 0;
  link.until = Infinity;
  const pause = PAUSE_MS.first * 2 ** Math.min(link.failures++, 10);
  link.dialAt = now + about(turn, Math.min(pause, PAUSE_MS.longest));
}

/** A new session is asked for where the old one is not known: at once, unless there was trouble before. */
export function askAgain(turn: Turn, reason: Error): void {
  const { link } = turn.state;
  turn.state.phase = "connecting-new";
  if (link.failures > 0) return dropped(turn, reason);
  link.failures = 1;
  dial(turn, link.address);
}

/** A server has shown that it serves: what went wrong before counts no more. */
export function forgive(link: Link): void {
  link.failures = 0;
  link.redirects = 0;
}

/** The server lives. */
export function heard({ state: { link }, now }: Turn): void {
  link.heardAt = now;
  link.askedAt = Infinity;
}

/**
 * How long a sign of life may take, in milliseconds: a server that stands still is to be left while the next leader still waits for
 * the session. It comes behind what was sent before.
 */
export function patienceMs({ settings, link, calls }: State): number {
  const behindMs = Math.floor(calls.bytes / SLOW_BYTES_PER_MS);
  return Math.min(settings.attemptMs + behindMs, link.keepAliveMs);
}

/** Gives up a server that is silent, asks the next one when its time has come, and shows signs of life. */
export function passTime(turn: Turn): void {
  const { state, now } = turn;
  const { link, settings } = state;
  if (isConnecting(state.phase)) {
    if (now >= link.until) {
      const text = `${link.address} gave no session within ${settings.attemptMs} ms`;
      dropped(turn, new ConnectError(text));
    } else if (now >= link.dialAt) dial(turn, nextAddress(turn));
  } else if (state.phase === "connected") {
    if (now >= link.askedAt + patienceMs(state)) {
      const silentMs = now - link.heardAt;
      dropped(turn, new Error(`Server was silent for ${Math.round(silentMs)} ms`));
    } else if (now >= link.keepAliveAt) {
      link.keepAliveAt = now + link.keepAliveMs;
      link.askedAt = Math.min(link.askedAt, now);
      send(turn, { kind: "keepAlive", time: Math.floor(now) });
    }
  }
}

/** Whether a server is being asked, or will be. */
export function isConnecting(phase: Phase): boolean {
  return phase === "connecting-new" || phase === "connecting-existing";
}

function send({ effects }: Turn, message: ClientMessage): void {
  effects.push({ type: "send", message, again: false });
}

function dial({ state, now, effects }: Turn, address: string): void {
  const { link } = state;
  link.address = address;
  link.dialAt = Infinity;
  link.until = now + state.settings.attemptMs;
  link.heardAt = now;
  effects.push({ type: "dial", address });
}

/** The addresses of the settings come first, then those that servers have told; the last one is not asked twice in a row. */
function nextAddress({ state: { settings, members, link } }: Turn): string {
  const all = [...new Set([...settings.addresses, ...members.values()])];
  const next = (): string => all[link.turn++ % all.length] as string;
  const address = next();
  return address === link.address ? next() : address;
}
