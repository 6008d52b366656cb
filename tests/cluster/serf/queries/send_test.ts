import assert from "node:assert/strict";
import type { RunningQuery } from "../../../../cluster/serf/core/collector.ts";
import { MAX_RUNNING_QUERIES } from "../../../../cluster/serf/core/running_queries.ts";
import { defaultQueryTimeout, sendQuery } from "../../../../cluster/serf/queries/send.ts";
import { settle } from "../../../support/manual_clock.ts";
import {
  type Fixture,
  fixture,
  hex,
  responseMessage,
  told,
  utf8,
} from "../../../support/serf/fixture.ts";

Deno.test("a query is handled here first, then gossiped, with the captured bytes", () => {
  const f = fixture({ name: "a", numAlive: 1, config: { queryTimeoutMult: 8 } });
  f.draws.push(1_016_852_656 / 2 ** 31);
  sendQuery(f.core, "load", null, { requestAck: true });
  assert.deepEqual(told(f.events), ["query load"]);
  assert.equal(f.core.queryClock.time(), 2n);
  assert.deepEqual(f.gossip().map(hex), [
    "048ba441646472a47f000001a746696c74657273c0a5466c61677301a24944ce3c9bf0b0a54c54696d6501a44e616d65a46c6f" +
    "6164a75061796c6f6164c0a4506f7274cd1f0aab52656c6179466163746f7200aa536f757263654e6f6465a161a754696d65" +
    "6f7574ce5f5e1000",
  ]);
  // The own ack travels to the own address.
  assert.deepEqual(f.sent.map(({ to }) => [to.host, to.port]), [["127.0.0.1", 7_946]]);
});

Deno.test("the default timeout grows with the order of magnitude of the cluster", () => {
  const expected = [[1, 3_200], [9, 3_200], [10, 6_400], [99, 6_400], [100, 9_600], [999, 9_600]];
  for (const [numAlive, timeoutMs] of expected) {
    assert.equal(defaultQueryTimeout(fixture({ numAlive: numAlive ?? 0 }).core), timeoutMs);
  }
});

Deno.test("a query over 1024 bytes is refused", () => {
  const f = fixture();
  sendQuery(f.core, "q", new Uint8Array(500));
  const size = f.gossip()[0]?.length ?? 0;
  sendQuery(f.core, "q", new Uint8Array(500 + 1_024 - size));
  assert.throws(() => sendQuery(f.core, "q", new Uint8Array(500 + 1_025 - size)), {
    name: "QueryError",
    message: "query exceeds limit of 1024 bytes",
  });
});

Deno.test("before protocol version 4 no query is sent", () => {
  const f = fixture({ config: { protocolVersion: 3 } });
  assert.throws(() => sendQuery(f.core, "q", null), { message: "Feature not supported" });
});

/** A query of this agent that waits for answers of two nodes. */
function asking(
  requestAck = true,
): { f: Fixture; query: RunningQuery; acks: string[]; answers: string[] } {
  const f = fixture({ numAlive: 2 });
  const query = sendQuery(f.core, "load", null, { requestAck, timeoutMs: 1_000 });
  const acks: string[] = [];
  const answers: string[] = [];
  const read = async () => {
    for await (const from of query.acks) acks.push(from);
    acks.push("end");
  };
  const readAnswers = async () => {
    for await (const { from, payload } of query.answers) {
      answers.push(`${from} ${new TextDecoder().decode(payload ?? utf8("nil"))}`);
    }
    answers.push("end");
  };
  void read();
  void readAnswers();
  return { f, query, acks, answers };
}

Deno.test("acks and answers are collected, each node once, until the timeout", async () => {
  const { f, query, acks, answers } = asking();
  const { ltime: LTime, id: ID } = query;
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From: "b", Flags: 1 }));
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From: "b", Flags: 1 }));
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From: "b", Payload: utf8("1") }));
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From: "b", Payload: utf8("2") }));
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From: "c" }));
  await settle();
  assert.deepEqual([acks, answers], [["b"], ["b 1", "c nil"]]);
  const { queryAcks, queryResponses, queryDuplicateAcks, queryDuplicateResponses } =
    f.core.tally.counters;
  assert.deepEqual(
    [queryAcks, queryResponses, queryDuplicateAcks, queryDuplicateResponses],
    [1, 2, 1, 1],
  );
  await f.clock.advance(1_000);
  assert.ok(query.closed);
  assert.deepEqual([acks.at(-1), answers.at(-1)], ["end", "end"]);
});

Deno.test("acks that nobody asked for are dropped, and their stream is empty", async () => {
  const { f, query, acks } = asking(false);
  f.delegate.notifyMessage(responseMessage({ LTime: query.ltime, ID: query.id, Flags: 1 }));
  await settle();
  assert.deepEqual(acks, ["end"]);
  await f.clock.advance(1_000);
});

Deno.test("replies to other queries are dropped with a warning, late ones in silence", async () => {
  const { f, query, answers } = asking();
  const { ltime: LTime, id: ID } = query;
  f.delegate.notifyMessage(responseMessage({ LTime: 99n, ID }));
  await f.clock.advance(1_000);
  f.delegate.notifyMessage(responseMessage({ LTime, ID: ID + 1 }));
  assert.equal(f.logs.filter((l) => l.includes("reply for non-running query")).length, 2);
  assert.deepEqual(answers, ["end"]);

  const other = asking();
  other.query.close();
  const reply = responseMessage({ LTime: other.query.ltime, ID: other.query.id });
  other.f.logs.length = 0;
  other.f.delegate.notifyMessage(reply);
  await settle();
  assert.deepEqual(other.answers, ["end"]);
  assert.deepEqual(other.f.logs, ["[DEBUG] messageQueryResponseType: b"]);
});

Deno.test("what a slow consumer has no room for may come again by relay", async () => {
  const f = fixture({ numAlive: 1 });
  const query = sendQuery(f.core, "load", null, { timeoutMs: 1_000 });
  const { ltime: LTime, id: ID } = query;
  for (const From of ["b", "c", "c"]) {
    f.delegate.notifyMessage(responseMessage({ LTime, ID, From }));
  }
  const reader = query.answers[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.from, "b");
  f.delegate.notifyMessage(responseMessage({ LTime, ID, From: "c" }));
  assert.equal((await reader.next()).value?.from, "c");
  for (let i = 0; i < 100; i++) {
    f.delegate.notifyMessage(responseMessage({ LTime, ID, From: `forged-${i}` }));
    void reader.next();
  }
  assert.equal(f.core.tally.counters.queryResponses, 8, "forged names are bounded");
  await f.clock.advance(1_000);
});

Deno.test("two queries at the same moment do not share a time", () => {
  const f = fixture();
  const [one, two] = [sendQuery(f.core, "q", null), sendQuery(f.core, "q", null)];
  assert.notEqual(one.ltime, two.ltime);
});

Deno.test("a query with a negative timeout is over at once", async () => {
  const f = fixture();
  const query = sendQuery(f.core, "q", null, { timeoutMs: -1_000 });
  f.delegate.notifyMessage(responseMessage({ LTime: query.ltime, ID: query.id }));
  await f.clock.advance(0);
  assert.ok(query.closed);
  assert.equal((await query.answers[Symbol.asyncIterator]().next()).done, true);
});

Deno.test("the number of running queries is bounded", async () => {
  const f = fixture();
  for (let i = 0; i < MAX_RUNNING_QUERIES; i++) sendQuery(f.core, "q", null);
  assert.throws(() => sendQuery(f.core, "q", null), { name: "QueryError" });
  await f.clock.advance(3_200);
  sendQuery(f.core, "q", null);
});
