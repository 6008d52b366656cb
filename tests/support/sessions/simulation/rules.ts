/**
 * The rules that sessions go by, each as the piece of source that has it and what is there without it (docs/CORRECTNESS.md has the
 * same table).
 *
 * @module
 */

import type { Mutation } from "../../mutant.ts";

const STATE = "cluster/machine/sys/";
const LEADER = "server/replica/sessions/";
const CLIENT = "client/sessions/core/";

const ACKED = "keyAfter(rowKey(state, REQUESTS, session.queue, upTo))";

/** How the source reads without a rule. */
export interface SessionRule extends Mutation {
  /** With which seed to begin to look for a run that does harm: the first one there was. Default 1. */
  readonly seed?: number;
}

/** How the source reads without each rule. */
export const SESSION_RULES: Readonly<Record<string, SessionRule>> = {
  "floor": {
    file: `${STATE}command.ts`,
    from: "if (id < session.floor) return RESPONSE_EVICTED;",
    to: "",
  },
  "floor-grows": {
    file: `${STATE}command.ts`,
    from: "if (low <= floor) return;",
    to: "if (low === floor) return;",
  },
  "floor-of-repeats": {
    file: `${STATE}command.ts`,
    from: "if (session.floor !== floor) putSession(state, session);",
    to: "",
    seed: 7,
  },
  "kept-answer": {
    file: `${STATE}command.ts`,
    from: "if (answer !== undefined) return { ok: true, rev: 0, body: answer };",
    to: "",
  },
  "acked-goes": {
    file: `${STATE}rows/requests.ts`,
    from: ACKED,
    to: "rowKey(state, REQUESTS, session.queue, upTo)",
  },
  "unacked-stays": {
    file: `${STATE}rows/requests.ts`,
    from: ACKED,
    to: "keyAfter(rowKey(state, REQUESTS, session.queue, upTo + 1))",
  },
  "same-attempt": {
    file: `${STATE}create.ts`,
    from: "if (known !== undefined) return begun(known);",
    to: "",
    seed: 10,
  },
  "time-of-log": {
    file: `${STATE}create.ts`,
    from: "createdAt: context.time,",
    to: "createdAt: Date.now(),",
  },
  "ready-leader": {
    file: "server/replica/driver/replica.ts",
    from: "index >= role.firstIndex ? term : undefined",
    to: "index >= role.firstIndex ? term : term",
    seed: 127,
  },
  "joined-proposal": {
    file: `${LEADER}proposals/proposals.ts`,
    from: "if (before !== undefined) {",
    to: "if (before !== undefined && before.bytes < 0) {",
  },
  "one-connection": {
    file: `${LEADER}leading.ts`,
    from: 'this.#part(session, "replaced");',
    to: "",
  },
  "told-again": {
    file: `${LEADER}leading.ts`,
    from: "Math.max(info.firstPending - 1, this.#acks.upToOf(session))",
    to: "info.lastRequest",
  },
  "whole-time": {
    file: `${LEADER}expiry.ts`,
    from: "clock.now() + timeoutMs",
    to: "clock.now() + timeoutMs / 2",
  },
  "time-anew": {
    file: `${LEADER}expiry.ts`,
    from: "parts.clock.now() + parts.timeoutMs",
    to: "parts.clock.now()",
  },
  "silent-ends": {
    file: `${LEADER}expiry.ts`,
    from: "      else this.#due.add(session);",
    to: "",
    seed: 4,
  },
  "heard-requests": {
    file: `${LEADER}leading.ts`,
    from: "    this.#heard(session);\n    this.#proposals.add",
    to: "    this.#proposals.add",
    seed: 38,
  },
  "stood-still": {
    file: `${LEADER}leading.ts`,
    from: "if (lateMs <= STALL_MS)",
    to: "if (lateMs < Infinity)",
    seed: 10,
  },
  "lowest-pending": {
    file: `${CLIENT}calls.ts`,
    from: "lowestPending: lowestPending(state),",
    to: "lowestPending: id as number,",
  },
  "all-again": {
    file: `${CLIENT}calls.ts`,
    from: "resendMs;\n    send(turn, call, false);",
    to: "resendMs;",
  },
  "in-order": {
    file: `${CLIENT}calls.ts`,
    from: "(const call of sent(turn.state)) {\n    call.resendMs",
    to: "(const call of sent(turn.state).reverse()) {\n    call.resendMs",
  },
  "ids-go-on": {
    file: `${CLIENT}messages.ts`,
    from: "Math.max(told.highestRequestId, told.floor) + 1 + MAX_IN_FLIGHT",
    to: "Math.max(told.floor, 1)",
  },
  "told-once": {
    file: `${CLIENT}server_requests.ts`,
    from: "if (requestId === state.delivered + 1) {",
    to: "if (requestId <= state.delivered + 1) {",
  },
  "none-passed-over": {
    file: `${CLIENT}messages.ts`,
    from: "told.lowestUnacked > 0 ? told.lowestUnacked - 1 : told.lastServerRequestId",
    to: "told.lastServerRequestId",
  },
};
