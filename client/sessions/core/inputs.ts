/**
 * What goes into the core of a session and what comes out of it.
 *
 * @module
 */

import type { ClientMessage, ServerMessage } from "../../../protocol/sessions/mod.ts";

/** A command or a query of the program, until it is settled. The core numbers it when it is first sent. */
export interface Call {
  readonly type: "command" | "query";
  /** What it is called in errors. */
  readonly name: string;
  readonly payload: Uint8Array;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When it is given up. */
  readonly deadlineAt: number;
  /** The request id of a command, the correlation id of a query; `undefined` until it is first sent. */
  id: number | string | undefined;
  /** Whether it was sent more than once. */
  isRepeated: boolean;
  /** When it is sent again. */
  resendAt: number;
  /** How long after that it is sent again once more, before chance. */
  resendMs: number;
}

/** One thing that happened. */
export type Input =
  /** The program wants a session. */
  | { readonly type: "connect" }
  /** The program wants none any more. With `keep` it lives on for somebody else. */
  | { readonly type: "close"; readonly keep: boolean }
  | { readonly type: "submit"; readonly call: Call }
  /** Nobody waits for a call any more. */
  | { readonly type: "abandon"; readonly call: Call }
  /** The connection that was dialled is there. */
  | { readonly type: "opened" }
  /** It did not come about, or has ended. */
  | { readonly type: "lost"; readonly error: Error }
  | { readonly type: "message"; readonly message: ServerMessage }
  /** Some of a message has come. */
  | { readonly type: "heard" }
  /** The program has read so many server requests. */
  | { readonly type: "taken"; readonly count: number }
  /** It has done the job of a server request of a session. */
  | {
    readonly type: "done";
    readonly requestId: number;
    readonly sessionId: string | undefined;
  }
  /** Time has passed. */
  | { readonly type: "tick" };

/**
 * What a program is told of its session, by the name of the event.
 *
 * @example
 * ```ts
 * import { SessionClient, type SessionEvents } from "@skein/agent/client";
 *
 * const session = new SessionClient();
 * const told: SessionEvents["disconnected"][] = [];
 * session.on("disconnected", (detail) => told.push(detail));
 * await session.close();
 * console.log(told); // [{ reason: undefined }]
 * ```
 */
export interface SessionEvents {
  /** The session is there, or there again. */
  readonly connected: { readonly sessionId: string };
  /** The connection has dropped; another is sought. */
  readonly reconnecting: { readonly reason: Error };
  /** The session is over, with nothing after `close()`, else with the reason. */
  readonly disconnected: { readonly reason: Error | undefined };
  /** The servers do not know the session any more. */
  readonly sessionExpired: { readonly sessionId: string | undefined };
  /** Somebody else uses the session. */
  readonly sessionBroken: { readonly reason: Error };
  /** Another server leads, or none that is known. */
  readonly leaderChanged: { readonly leader: string | undefined };
}

/** An event with what is told of it. */
export type SessionEvent = {
  readonly [N in keyof SessionEvents]: { readonly name: N; readonly detail: SessionEvents[N] };
}[keyof SessionEvents];

/**
 * What a server tells a session unasked. It stays at the servers until the client has taken it.
 *
 * @example
 * ```ts
 * import { type ServerRequest, SessionClient } from "@skein/agent/client";
 *
 * async function work(session: SessionClient, job: (request: ServerRequest) => Promise<void>): Promise<void> {
 *   for await (const request of session.serverRequests) await job(request);
 * }
 * console.log(work.name);
 * ```
 */
export interface ServerRequest {
  /** From 1 on, without a gap, in each session. */
  readonly requestId: number;
  /** What is told: an object of JSON, such as `{"push":"overflow"}`. */
  readonly payload: Uint8Array;
  /** When, in milliseconds since 1970. */
  readonly createdAt: number;
}

/** Something to be done by the driver, in this order. */
export type Effect =
  /** Give up the connection that there is, and connect there. */
  | { readonly type: "dial"; readonly address: string }
  /** Close the connection, once what was sent is written; or give up dialling. */
  | { readonly type: "hang-up" }
  /** What is sent again may be left out while earlier messages still wait to be written. */
  | { readonly type: "send"; readonly message: ClientMessage; readonly again: boolean }
  | { readonly type: "resolve"; readonly call: Call; readonly result: Uint8Array }
  | { readonly type: "reject"; readonly call: Call; readonly error: Error }
  /** A server request, in order and for the first time. */
  | { readonly type: "deliver"; readonly request: ServerRequest }
  | { readonly type: "tell"; readonly event: SessionEvent }
  /** Nothing follows. */
  | { readonly type: "end"; readonly error: Error | undefined };

/** Where chance comes from. */
export interface Chance {
  /** A number from 0 up to 1. */
  float(): number;
  /** 64 bits with a sign, not 0. */
  nonce(): bigint;
}
