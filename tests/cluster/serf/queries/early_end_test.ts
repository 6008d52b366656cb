import assert from "node:assert/strict";
import type { QueryOutcome, RunningQuery } from "../../../../cluster/serf/core/collector.ts";
import { MAX_RUNNING_QUERIES } from "../../../../cluster/serf/core/running_queries.ts";
import { loadPatterns } from "../../../../cluster/serf/model/pattern.ts";
import { type QueryParams, sendQuery } from "../../../../cluster/serf/queries/send.ts";
import { settle } from "../../../support/manual_clock.ts";
import {
  type Fixture,
  fixture,
  leaveMessage,
  node,
  responseMessage,
  utf8,
} from "../../../support/serf/fixture.ts";

await loadPatterns();

/** A query of `a`, with members `b` and `c`, and how it has ended. */
interface Asking {
  f: Fixture;
  query: RunningQuery;
  outcome: () => QueryOutcome | undefined;
  answer: (from: string) => void;
  ack: (from: string) => void;
}

function asking(params: QueryParams = {}, name = "load"): Asking {
  const f = fixture({ numAlive: 3, config: { tags: { role: "db" } } });
  f.delegate.notifyJoin(node("b", { tags: { role: "web" } }));
  f.delegate.notifyJoin(node("c", { tags: { role: "web" } }));
  const query = sendQuery(f.core, name, null, { timeoutMs: 1_000, ...params });
  const { ltime: LTime, id: ID } = query;
  let outcome: QueryOutcome | undefined;
  void query.finished.then((value) => outcome = value);
  const receive = (From: string, Flags: number) =>
    f.delegate.notifyMessage(responseMessage({ LTime, ID, From, Flags, Payload: utf8("x") }));
  return {
    f,
    query,
    outcome: () => outcome,
    answer: (from) => receive(from, 0),
    ack: (from) => receive(from, 1),
  };
}

Deno.test("a query ends as soon as every member has answered", async () => {
  const { query, outcome, answer, f } = asking();
  assert.equal(query.expected, 3);
  answer("a");
  answer("b");
  await f.clock.advance(100);
  assert.equal(outcome(), undefined);
  answer("c");
  await settle();
  assert.deepEqual(outcome(), {
    reason: "complete",
    responded: 3,
    acked: 0,
    silent: [],
    unacked: [],
  });
  assert.ok(query.closed);
  const names: string[] = [];
  for await (const { from } of query.answers) names.push(from);
  assert.deepEqual(names, ["a", "b", "c"], "what waits is still read");
  await f.clock.advance(1_000);
});

Deno.test("with acks asked for, a query ends when all have answered and acknowledged", async () => {
  const { outcome, answer, ack } = asking({ requestAck: true });
  for (const name of ["a", "b", "c"]) answer(name);
  ack("a");
  ack("b");
  await settle();
  assert.equal(outcome(), undefined);
  ack("c");
  await settle();
  assert.deepEqual(outcome(), {
    reason: "complete",
    responded: 3,
    acked: 3,
    silent: [],
    unacked: [],
  });
});

Deno.test("a ping waits for acks alone, and names who is silent", async () => {
  const all = asking({ requestAck: true }, "_serf_ping");
  for (const name of ["a", "b", "c"]) all.ack(name);
  await settle();
  assert.equal(all.outcome()?.reason, "complete");

  const some = asking({ requestAck: true }, "_serf_ping");
  some.ack("a");
  await some.f.clock.advance(1_000);
  assert.deepEqual(some.outcome(), {
    reason: "deadline",
    responded: 0,
    acked: 1,
    silent: ["b", "c"],
    unacked: ["b", "c"],
  });
});

Deno.test("only members that match the filters are waited for", async () => {
  const { query, outcome, answer } = asking({ tags: { role: "^web$" } });
  assert.equal(query.expected, 2);
  answer("c");
  answer("b");
  await settle();
  assert.equal(outcome()?.reason, "complete");
  assert.equal(asking({ tags: { role: "e" }, nodes: ["b", "x"] }).query.expected, 1);
});

Deno.test("a query that nobody can answer ends in a later turn, before its timeout", async () => {
  const questions: QueryParams[] = [{ nodes: ["x"] }, { tags: { role: "(" } }];
  for (const params of questions) {
    const { f, query, outcome } = asking({ ...params, requestAck: true });
    assert.equal(query.expected, 0);
    await settle();
    assert.ok(!query.closed, "there is time to subscribe");
    await f.clock.advance(0);
    assert.equal(outcome()?.reason, "complete");
    await f.clock.advance(1_000);
  }
});

Deno.test("the silent are named at the deadline, strangers are not waited for", async () => {
  const { f, outcome, answer, ack } = asking({ requestAck: true });
  answer("b");
  answer("stranger");
  ack("c");
  await f.clock.advance(1_000);
  assert.deepEqual(outcome(), {
    reason: "deadline",
    responded: 2,
    acked: 1,
    silent: ["a", "c"],
    unacked: ["a", "b"],
  });
});

Deno.test("a member that fails, leaves or is forgotten meanwhile is not waited for", async () => {
  const failed = asking();
  failed.answer("a");
  failed.answer("b");
  failed.f.delegate.notifyLeave(node("c"));
  await settle();
  assert.deepEqual([failed.outcome()?.reason, failed.outcome()?.silent], ["complete", []]);

  const leaving = asking();
  leaving.answer("a");
  leaving.f.delegate.notifyMessage(leaveMessage("b", 50n));
  await leaving.f.clock.advance(1_000);
  assert.deepEqual(leaving.outcome()?.silent, ["c"]);

  const forgotten = asking();
  const gone = forgotten.f.core.members.get("c");
  assert.ok(gone !== undefined);
  forgotten.f.core.members.erase(gone);
  await forgotten.f.clock.advance(1_000);
  assert.deepEqual(forgotten.outcome()?.silent, ["a", "b"]);
});

Deno.test("a member that had failed before is not expected", async () => {
  const f = fixture({ numAlive: 1 });
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyLeave(node("b"));
  assert.equal(sendQuery(f.core, "load", null).expected, 1);
  await f.clock.advance(3_200);
});

Deno.test("closing a query ends it with what there is", async () => {
  const { query, outcome, answer } = asking();
  answer("b");
  query.close();
  query.close();
  await settle();
  assert.deepEqual(outcome(), {
    reason: "closed",
    responded: 1,
    acked: 0,
    silent: ["a", "c"],
    unacked: [],
  });
});

Deno.test("a shutdown closes a query, and one that is sent after it", async () => {
  const { f, outcome } = asking();
  f.core.timers.close();
  f.core.running.close();
  await settle();
  assert.equal(outcome()?.reason, "closed");
  assert.equal((await sendQuery(f.core, "late", null).finished).reason, "closed");
});

Deno.test("copies that come after the end count as copies, other late answers as nothing", async () => {
  const { f, answer } = asking();
  for (const name of ["a", "b", "c"]) answer(name);
  await settle();
  answer("b");
  answer("newcomer");
  const { queryResponses, queryDuplicateResponses } = f.core.tally.counters;
  assert.deepEqual([queryResponses, queryDuplicateResponses], [3, 1]);
  await f.clock.advance(1_000);
  answer("b");
  assert.equal(f.core.tally.counters.queryDuplicateResponses, 1);
  assert.match(f.logs.at(-1) ?? "", /reply for non-running query/);
});

Deno.test("a query that is over makes room for others", async () => {
  const f = fixture();
  sendQuery(f.core, "q", null, { nodes: ["x"] });
  await f.clock.advance(0);
  for (let i = 1; i < MAX_RUNNING_QUERIES; i++) sendQuery(f.core, "q", null);
  sendQuery(f.core, "q", null);
  assert.throws(() => sendQuery(f.core, "q", null), { name: "QueryError" });
  await f.clock.advance(3_200);
});

Deno.test("a negative timeout names everyone silent", async () => {
  const { f, outcome } = asking({ timeoutMs: -1 });
  await f.clock.advance(0);
  assert.deepEqual([outcome()?.reason, outcome()?.silent], ["deadline", ["a", "b", "c"]]);
});
