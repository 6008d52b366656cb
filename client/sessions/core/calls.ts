/**
 * Commands and queries: numbered and sent, sent again until they are answered, given up in time.
 *
 * A command is in one of three places: the queue, where it has no number and was not done; among those that were sent, from the
 * lowest number on that still waits; or nowhere, when it is settled. Only so many numbers are in use at a time as servers
 * allow (docs/spec/sessions.md 4).
 *
 * @module
 */

import { errorOf, OutcomeUnknownError } from "../../../protocol/kv/errors.ts";
import {
  MAX_IN_FLIGHT,
  QUERY_ERROR,
  type QueryError,
  REQUEST_ERROR,
  type RequestError,
} from "../../../protocol/sessions/mod.ts";
import { TimeoutError } from "../../net/errors.ts";
import { QueueFullError, SessionBrokenError } from "../errors.ts";
import type { Call } from "./inputs.ts";
import { about, type State, type Turn } from "./state.ts";

/** Most calls that wait for an answer. */
export const MAX_CALLS = 10_000;

/** Most bytes of their payloads. */
export const MAX_CALL_BYTES = 16 * 1024 * 1024;

/** Each time a call is sent again takes so much longer than the time before ... */
const RESEND_GROWTH = 1.5;
/** ... up to this, in milliseconds. */
const MAX_RESEND_MS = 10_000;

/** Takes a call, and sends it if that can be. */
export function submit(turn: Turn, call: Call): void {
  const { calls } = turn.state;
  const count = waiting(turn.state);
  const bytes = calls.bytes + call.payload.length;
  if (count >= MAX_CALLS || bytes > MAX_CALL_BYTES) {
    const text = count >= MAX_CALLS
      ? `Expected at most ${MAX_CALLS} calls without an answer`
      : `Calls without an answer would take ${bytes} of ${MAX_CALL_BYTES} bytes`;
    return reject(turn, call, new QueueFullError(text));
  }
  calls.bytes = bytes;
  calls.queue.add(call);
  sendQueued(turn);
}

/** How many calls wait for an answer. */
export function waiting({ calls: { queue, commands, queries } }: State): number {
  return queue.size + commands.size + queries.size;
}

/** Forgets a call; false when it is settled already. */
export function forget({ calls }: State, call: Call): boolean {
  const { id } = call;
  const isThere = id === undefined
    ? calls.queue.delete(call)
    : typeof id === "number"
    ? calls.commands.delete(id)
    : calls.queries.delete(id);
  if (isThere) calls.bytes -= call.payload.length;
  return isThere;
}

/** Sends what waits to be sent for the first time, as far as the window of numbers allows. */
export function sendQueued(turn: Turn): void {
  const { phase, calls } = turn.state;
  if (phase !== "connected") return;
  for (const call of calls.queue) {
    const isCommand = call.type === "command";
    if (isCommand && calls.nextId >= lowestPending(turn.state) + MAX_IN_FLIGHT) return;
    calls.queue.delete(call);
    if (isCommand) {
      call.id = calls.nextId++;
      calls.commands.set(call.id, call);
    } else {
      call.id = String(calls.nextQuery++);
      calls.queries.set(call.id, call);
    }
    send(turn, call, false);
  }
}

/** Sends everything again that was sent before, commands in the order of their numbers, and then what was queued. */
export function sendAll(turn: Turn): void {
  for (const call of sent(turn.state)) {
    call.resendMs = turn.state.settings.resendMs;
    send(turn, call, false);
  }
  sendQueued(turn);
}

/** Gives up what is due, and sends again what was not answered for long. */
export function passTime(turn: Turn): void {
  const { state, now } = turn;
  for (const call of [...sent(state), ...state.calls.queue]) {
    if (call.deadlineAt <= now) {
      forget(state, call);
      const waitedMs = Math.floor(call.deadlineAt - call.createdAt);
      const text = `No answer to ${call.name} within ${waitedMs} ms`;
      reject(turn, call, lost(call, new TimeoutError(text)));
    }
  }
  if (state.phase !== "connected") return;
  for (const call of sent(state)) {
    if (call.resendAt > now) continue;
    send(turn, call, true);
    // It may be that the server does not live any more.
    if (state.link.askedAt === Infinity) state.link.keepAliveAt = now;
  }
  sendQueued(turn);
}

/** Settles a call with what the server says; false when nobody waits for that. */
export function answer(turn: Turn, call: Call | undefined, result: Uint8Array): boolean {
  if (call === undefined || !forget(turn.state, call)) return false;
  turn.effects.push({ type: "resolve", call, result });
  sendQueued(turn);
  return true;
}

/**
 * Settles a command that has no result; one that was merely not taken is sent again in its time, and so is one that was refused for
 * a reason which is not known here. Gives the error when the session cannot go on.
 */
export function refuseCommand(turn: Turn, refused: RequestError): SessionBrokenError | undefined {
  const call = turn.state.calls.commands.get(refused.requestId);
  if (call === undefined) return undefined;
  switch (refused.reason) {
    case REQUEST_ERROR.responseEvicted:
      return new SessionBrokenError();
    case REQUEST_ERROR.payloadTooLarge:
      fail(turn, call, 413, "PAYLOAD_TOO_LARGE");
      break;
    case REQUEST_ERROR.invalidPayload:
      fail(turn, call, 422, "INVALID_PAYLOAD");
      break;
    case REQUEST_ERROR.storageFull:
      // What was sent before may have been executed.
      if (call.isRepeated) break;
      fail(turn, call, 507, "STORAGE_FULL");
      break;
  }
  return undefined;
}

/** The same for a query. */
export function refuseQuery(turn: Turn, refused: QueryError): void {
  const call = turn.state.calls.queries.get(refused.correlationId);
  if (call === undefined) return;
  if (refused.reason === QUERY_ERROR.invalidPayload) fail(turn, call, 422, "INVALID_PAYLOAD");
}

/** Rejects commands that were sent, as nobody will know what became of them; with `all` everything else too. */
export function rejectCalls(turn: Turn, cause: Error, all: boolean): void {
  const { state } = turn;
  const { queue, commands, queries } = state.calls;
  for (const call of [...commands.values(), ...queries.values(), ...all ? queue : []]) {
    forget(state, call);
    reject(turn, call, lost(call, cause));
  }
}

/** The lowest number that waits; that of the next command when none does. */
export function lowestPending({ calls }: State): number {
  while (calls.lowest < calls.nextId && !calls.commands.has(calls.lowest)) calls.lowest++;
  return calls.lowest;
}

/** What a call is rejected with. */
export function reject({ effects }: Turn, call: Call, error: Error): void {
  effects.push({ type: "reject", call, error });
}

function sent({ calls: { commands, queries } }: State): Call[] {
  return [...commands.values(), ...queries.values()];
}

function send(turn: Turn, call: Call, again: boolean): void {
  const { state, now, effects } = turn;
  call.isRepeated = call.resendAt !== Infinity;
  call.resendAt = now + about(turn, call.resendMs);
  call.resendMs = Math.min(call.resendMs * RESEND_GROWTH, MAX_RESEND_MS);
  const { id, payload, createdAt } = call;
  effects.push({
    type: "send",
    again,
    message: typeof id === "string" ? { kind: "query", correlationId: id, payload, createdAt } : {
      kind: "clientRequest",
      requestId: id as number,
      lowestPending: lowestPending(state),
      payload,
      createdAt,
    },
  });
}

function fail(turn: Turn, call: Call, code: number, reason: string): void {
  forget(turn.state, call);
  reject(turn, call, errorOf({ ok: false, code, reason }));
  sendQueued(turn);
}

/** What a call without an answer ends with: a command that was sent may have been done. */
function lost({ type, id }: Call, cause: Error): Error {
  if (type === "query" || id === undefined) return cause;
  return new OutcomeUnknownError({ ok: false, code: 504, reason: "OUTCOME_UNKNOWN" }, { cause });
}
