import assert from "node:assert/strict";
import {
  BAD_CAPABILITIES,
  RESPONSE_EVICTED,
  SESSION_EXPIRED,
  TOO_MANY_IN_FLIGHT,
  TOO_MANY_SESSIONS,
} from "../../../cluster/machine/mod.ts";
import { QUERY_ERROR, REJECTED, REQUEST_ERROR } from "../../../protocol/sessions/mod.ts";
import {
  NO_LEADER,
  NO_ROOM,
  OUTCOME_UNKNOWN,
  OVERLOADED,
  SHUTTING_DOWN,
  STORAGE_FULL,
} from "../../../server/replica/service.ts";
import {
  queryErrorOf,
  rejectionOf,
  replyOf,
  requestErrorOf,
} from "../../../server/sessions/replies.ts";
import { Order } from "../../../server/sessions/order.ts";

Deno.test("what keeps a request, a query or a session from being done has its number", () => {
  const requests = [
    [RESPONSE_EVICTED, REQUEST_ERROR.responseEvicted],
    [TOO_MANY_IN_FLIGHT, REQUEST_ERROR.tooManyInFlight],
    [OVERLOADED, REQUEST_ERROR.overloaded],
    [NO_LEADER, REQUEST_ERROR.overloaded],
    [STORAGE_FULL, REQUEST_ERROR.storageFull],
    [{ reason: "VALUE_TOO_LARGE" }, REQUEST_ERROR.payloadTooLarge],
    [{ reason: "UNSUPPORTED_VERSION" }, REQUEST_ERROR.invalidPayload],
    [OUTCOME_UNKNOWN, undefined],
    [SHUTTING_DOWN, undefined],
  ] as const;
  for (const [{ reason }, number] of requests) assert.equal(requestErrorOf(reason), number, reason);
  const queries = [
    [NO_LEADER, QUERY_ERROR.notLeader],
    [SHUTTING_DOWN, QUERY_ERROR.notLeader],
    [NO_ROOM, QUERY_ERROR.overloaded],
    [{ reason: "NOT_FOUND" }, undefined],
  ] as const;
  for (const [{ reason }, number] of queries) assert.equal(queryErrorOf(reason), number, reason);
  const sessions = [
    [SESSION_EXPIRED, REJECTED.sessionExpired],
    [BAD_CAPABILITIES, REJECTED.invalidCapabilities],
    [TOO_MANY_SESSIONS, REJECTED.tooManySessions],
    [OUTCOME_UNKNOWN, REJECTED.noQuorum],
    [OVERLOADED, REJECTED.noQuorum],
    [STORAGE_FULL, REJECTED.other],
  ] as const;
  for (const [{ reason }, number] of sessions) assert.equal(rejectionOf(reason), number, reason);
});

Deno.test("a reply is a line of the key-value port without its end", () => {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const body = new TextEncoder().encode('"x"');
  const success = { ok: true, rev: 7, body } as const;
  assert.equal(text(replyOf(success)), '{"status":"ok","result":"x"}');
  assert.equal(
    text(replyOf({ ...success, ttlMs: 5 }, { tellsRevision: true, lagMs: 3, next: "a" })),
    '{"status":"ok","result":"x","rev":7,"ttl_ms":5,"next":"a","lag_ms":3}',
  );
  assert.match(text(replyOf(TOO_MANY_SESSIONS)), /^\{"status":"error","code":429,.*\}$/);
});

Deno.test("a question waits for the requests before it, and for no others", () => {
  const order = new Order();
  let asked = "";
  const [first, second] = [order.begin(), order.begin()];
  order.ask(() => asked += "a");
  const third = order.begin();
  order.ask(() => asked += "b");
  order.end(second);
  assert.equal(asked, "");
  order.end(first);
  assert.equal(asked, "a");
  order.end(third);
  assert.equal(asked, "ab");
  order.ask(() => asked += "c");
  assert.equal(asked, "abc");
});
