/**
 * The phases of a client's session, and everything that can happen in them.
 *
 * @module
 */

import type { Call, Effect } from "../../../client/sessions/core/inputs.ts";
import { CLOSED, QUERY_ERROR, REJECTED, REQUEST_ERROR } from "../../../protocol/sessions/mod.ts";
import { Core } from "./core.ts";

/** A core in each phase. A command waits in all of them; a query too where there was a session; server b leads. */
export const PHASES: Readonly<Record<string, () => { core: Core; call: Call }>> = {
  "disconnected": () => {
    const core = new Core();
    return { core, call: core.submit().call };
  },
  "connecting-new": () => {
    const core = new Core();
    core.take({ type: "connect" });
    core.take({ type: "opened" });
    knowLeader(core);
    return { core, call: core.submit().call };
  },
  "connecting-existing": () => {
    const core = new Core().connect();
    knowLeader(core);
    const { call } = core.submit();
    core.submit("query");
    core.reopen();
    return { core, call };
  },
  "connected": () => {
    const core = new Core().connect();
    knowLeader(core);
    const { call } = core.submit();
    core.submit("query");
    core.receive({ kind: "serverRequest", requestId: 1, payload: NONE, createdAt: 0 });
    return { core, call };
  },
  "over": () => {
    const core = new Core();
    const { call } = core.submit();
    core.take({ type: "close", keep: false });
    return { core, call };
  },
};

const NONE = new Uint8Array(0);

function knowLeader(core: Core): void {
  core.receive({
    kind: "clusterInfo",
    members: [{ id: "b", address: "b:9", role: 1 }],
    leader: "b",
    term: 1,
  });
}

const rejected = (reason: number, leader?: string) => (core: Core): Effect[] =>
  core.receive({ kind: "sessionRejected", reason, nonce: core.state.link.nonce || 9n, leader });
const closed = (reason: number, leader?: string) => (core: Core): Effect[] =>
  core.receive({ kind: "sessionClosed", reason, leader });
const refused = (reason: number) => (core: Core): Effect[] =>
  core.receive({ kind: "requestError", requestId: 1, reason });
const unanswered = (reason: number) => (core: Core): Effect[] =>
  core.receive({ kind: "queryError", correlationId: "1", reason });
const told = (requestId: number) => (core: Core): Effect[] =>
  core.receive({ kind: "serverRequest", requestId, payload: NONE, createdAt: 0 });

/** What happens, and what is done about it. */
export const INPUTS: Readonly<Record<string, (core: Core, call: Call) => Effect[]>> = {
  "connect": (core) => core.take({ type: "connect" }),
  "close": (core) => core.take({ type: "close", keep: false }),
  "close and keep": (core) => core.take({ type: "close", keep: true }),
  "submit a command": (core) => core.submit().effects,
  "submit a query": (core) => core.submit("query").effects,
  "abandon": (core, call) => core.take({ type: "abandon", call }),
  "opened": (core) => core.take({ type: "opened" }),
  "lost": (core) => core.take({ type: "lost", error: new Error("lost") }),
  "heard": (core) => core.take({ type: "heard" }),
  "done": (core) => core.take({ type: "done", requestId: 1, sessionId: "s" }),
  "taken": (core) => core.take({ type: "taken", count: 0 }),
  "tick": (core) => core.pass(1),
  "tick, resend": (core) => core.pass(2_000),
  "tick, attempt over": (core) => core.pass(5_000),
  "tick, deadline": (core) => core.pass(29_950),
  "tick, silence": (core) => core.pass(90_000),
  "created": (core) =>
    core.receive({ kind: "sessionCreated", sessionId: "t", nonce: core.state.link.nonce || 9n }),
  "created, other nonce": (core) =>
    core.receive({ kind: "sessionCreated", sessionId: "t", nonce: 99n }),
  "continued": (core) => core.continue(),
  "continued, used by another": (core) => core.continue({ highestRequestId: 9 }),
  "continued, other nonce": (core) => core.receive({ kind: "sessionContinued", nonce: 99n }),
  "rejected, other nonce": (core) =>
    core.receive({ kind: "sessionRejected", reason: REJECTED.sessionExpired, nonce: 99n }),
  "rejected notLeader": rejected(REJECTED.notLeader),
  "rejected notLeader, b": rejected(REJECTED.notLeader, "b"),
  "rejected notLeader, unknown": rejected(REJECTED.notLeader, "x"),
  "rejected sessionExpired": rejected(REJECTED.sessionExpired),
  "rejected invalidCapabilities": rejected(REJECTED.invalidCapabilities),
  "rejected other": rejected(REJECTED.other),
  "rejected noQuorum": rejected(REJECTED.noQuorum),
  "rejected tooManySessions": rejected(REJECTED.tooManySessions),
  "rejected unauthorized": rejected(REJECTED.unauthorized),
  "rejected 99": rejected(99),
  "closed shutdown": closed(CLOSED.shutdown),
  "closed notLeaderAnymore": closed(CLOSED.notLeaderAnymore),
  "closed notLeaderAnymore, b": closed(CLOSED.notLeaderAnymore, "b"),
  "closed sessionError": closed(CLOSED.sessionError),
  "closed connectionClosed": closed(CLOSED.connectionClosed),
  "closed sessionExpired": closed(CLOSED.sessionExpired),
  "keep-alive response": (core) => core.receive({ kind: "keepAliveResponse", time: 1 }),
  "response": (core) => core.receive({ kind: "clientResponse", requestId: 1, result: NONE }),
  "response to nothing": (core) =>
    core.receive({ kind: "clientResponse", requestId: 9, result: NONE }),
  "query response": (core) =>
    core.receive({ kind: "queryResponse", correlationId: "1", result: NONE }),
  "query response to nothing": (core) =>
    core.receive({ kind: "queryResponse", correlationId: "9", result: NONE }),
  "server request, next": told(2),
  "server request, again": told(1),
  "server request, gap": told(5),
  "error responseEvicted": refused(REQUEST_ERROR.responseEvicted),
  "error tooManyInFlight": refused(REQUEST_ERROR.tooManyInFlight),
  "error overloaded": refused(REQUEST_ERROR.overloaded),
  "error payloadTooLarge": refused(REQUEST_ERROR.payloadTooLarge),
  "error invalidPayload": refused(REQUEST_ERROR.invalidPayload),
  "error storageFull": refused(REQUEST_ERROR.storageFull),
  "error 99": refused(99),
  "error for nothing": (core) =>
    core.receive({ kind: "requestError", requestId: 9, reason: REQUEST_ERROR.responseEvicted }),
  "query error notLeader": unanswered(QUERY_ERROR.notLeader),
  "query error timeout": unanswered(QUERY_ERROR.timeout),
  "query error invalidPayload": unanswered(QUERY_ERROR.invalidPayload),
  "query error overloaded": unanswered(QUERY_ERROR.overloaded),
  "session state": (core) =>
    core.receive({
      kind: "sessionState",
      floor: 1,
      highestRequestId: 7,
      lowestUnacked: 4,
      lastServerRequestId: 5,
      timeoutMs: 9_000,
      leader: "c",
      term: 2,
    }),
  "cluster info": (core) => core.receive({ kind: "clusterInfo", members: [], leader: "", term: 2 }),
};
