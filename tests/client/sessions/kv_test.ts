/**
 * Keys, values and watches by a session.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConditionFailedError,
  ConnectionClosedError,
  type KvChange,
  KvError,
  type KvWatch,
  RevisionGoneError,
  SessionClient,
  SessionExpiredError,
} from "../../../client/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { until, withPatience } from "../../support/rpc/peer.ts";
import type { Model } from "../../support/sessions/model.ts";
import {
  type ScriptedServer,
  startScriptedServer,
} from "../../support/sessions/scripted_server.ts";

const HOST = loopback();

async function connected(
  server: ScriptedServer,
  options: { resume?: string; autoRenew?: boolean } = {},
): Promise<SessionClient> {
  const session = new SessionClient({ address: server.address, ...options });
  await session.connect();
  return session;
}

/** The next changes of a watch, in short. */
async function next(watch: KvWatch, count: number): Promise<unknown[]> {
  const reader = watch[Symbol.asyncIterator]();
  const seen: unknown[] = [];
  while (seen.length < count) {
    const { value, done } = await withPatience(reader.next());
    if (done) break;
    const change: KvChange = value;
    seen.push(change.kind === "set" ? [change.value, change.rev] : [change.kind, change.rev]);
  }
  return seen;
}

function tell(model: Model, push: object): void {
  for (const session of model.sessions.values()) {
    model.request(session, new TextEncoder().encode(JSON.stringify(push)));
  }
}

Deno.test("values are set, got and counted, each change once however often it is sent", async () => {
  let cuts = 0;
  await using server = startScriptedServer(HOST, {
    script(message, connection) {
      if (message.kind !== "clientRequest" || message.requestId % 5 !== 0 || cuts++ % 2 === 1) {
        return false;
      }
      server.model.receiveLast(connection, message);
      return true;
    },
  });
  await using session = await connected(server);
  assert.deepEqual(await session.kv.set("k", { a: [1, "é", null] }), { rev: 1 });
  assert.deepEqual(await session.kv.get("k"), { value: { a: [1, "é", null] }, rev: 1 });
  assert.equal(await session.kv.get("none"), undefined);
  const sums = await Promise.all(Array.from({ length: 30 }, () => session.kv.increment("n")));
  assert.deepEqual(sums, sums.map((_, i) => i + 1));
  assert.ok(cuts >= 6, `${cuts} cuts`);
  await assert.rejects(session.kv.set("k", 1, { nx: true }), (error) => {
    return error instanceof ConditionFailedError && error.rev === 1;
  });
});

Deno.test("a question is a query, and a change a command", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  await session.kv.set("k", 1, { namespace: "app", ttlMs: 5 });
  await session.kv.get("k", { consistency: "lease", namespace: "app" });
  const sent = server.received.flatMap((message) =>
    "payload" in message ? [[message.kind, new TextDecoder().decode(message.payload)]] : []
  );
  assert.deepEqual(sent, [
    ["clientRequest", '{"action":"SET","key":"k","namespace":"app","value":1,"ttl_ms":5}'],
    ["query", '{"action":"GET","key":"k","namespace":"app","consistency":"lease"}'],
  ]);
});

Deno.test("what a program gets wrong is refused before it is sent", async () => {
  await using session = new SessionClient();
  await assert.rejects(session.kv.set("k", undefined as never), TypeError);
  await assert.rejects(session.kv.get(1 as never), TypeError);
  await assert.rejects(session.kv.get("k", { odd: 1 } as never), /Unknown option 'odd'/);
  await assert.rejects(session.kv.watch("k", { fromRev: 1 } as never), /Unknown option 'fromRev'/);
  const wire = { then: [{ action: "SET", key: "k", value: 1 } as never] };
  await assert.rejects(session.kv.transaction(wire), /Unknown action 'SET' of a step, expected/);
  await assert.rejects(session.kv.set("k", "x".repeat(1024 * 1024)), (error) => {
    return error instanceof KvError && error.reason === "PAYLOAD_TOO_LARGE";
  });
});

Deno.test("a reply that is none is an error of that call", async () => {
  await using server = startScriptedServer(HOST, {
    script(message, connection) {
      if (message.kind !== "query") return false;
      const { correlationId } = message;
      const result = new TextEncoder().encode("{}");
      connection.send({ kind: "queryResponse", correlationId, result });
      return true;
    },
  });
  await using session = await connected(server);
  await assert.rejects(session.kv.get("k"), { name: "AnswerError" });
  assert.deepEqual(await session.kv.set("k", 1), { rev: 1 });
});

Deno.test("a watch tells what is there and each change, across connections, once and in order", async () => {
  await using server = startScriptedServer(HOST);
  await using writer = await connected(server);
  await using session = await connected(server);
  await writer.kv.set("k", 0);
  await using watch = await session.kv.watch("k", { initial: true });
  assert.deepEqual(await next(watch, 2), [[0, 1], ["synced", 1]]);
  for (let i = 1; i <= 20; i++) {
    if (i % 5 === 0) server.hangUp();
    await writer.kv.set("k", i);
  }
  assert.deepEqual(
    await next(watch, 20),
    Array.from({ length: 20 }, (_, i) => [i + 1, i + 2]),
  );
});

Deno.test("a watch that is stopped ends at the servers, once nobody here reads it", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  const one = await session.kv.watch("k");
  const two = await session.kv.watch("k");
  assert.equal(server.model.values.watches, 1, "two of the same are one");
  await session.kv.set("k", 1);
  assert.deepEqual([await next(one, 1), await next(two, 1)], [[[1, 1]], [[1, 1]]]);
  await one.stop();
  await session.kv.set("k", 2);
  assert.deepEqual([await next(one, 1), await next(two, 1)], [[], [[2, 2]]]);
  assert.equal(server.model.values.watches, 1);
  await two.stop();
  await two.stop();
  assert.equal(server.model.values.watches, 0);
});

Deno.test("changes of several watches and other server requests each reach who reads them", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  const reading = (async () => {
    const seen: string[] = [];
    for await (const { payload } of session.serverRequests) {
      seen.push(new TextDecoder().decode(payload));
      if (seen.length === 3) return seen;
    }
  })();
  // What is there already is told before the answer to the call: nobody else may read it.
  const watches = await Promise.all(
    ["a", "b"].map((key) => session.kv.watch(key, { initial: true })),
  );
  tell(server.model, { push: "job", n: 1 });
  await session.kv.set("a", 1);
  tell(server.model, { push: "change", watch: 99, key: "z" });
  await session.kv.set("b", 2);
  for (const { id } of server.model.sessions.values()) {
    const known = server.model.sessions.get(id);
    if (known) server.model.request(known, new TextEncoder().encode("{no JSON"));
  }
  const seen = await Promise.all(watches.map((watch) => next(watch, 2)));
  assert.deepEqual(seen, [[["synced", 0], [1, 1]], [["synced", 0], [2, 2]]]);
  assert.deepEqual(await withPatience(reading), [
    '{"push":"job","n":1}',
    '{"push":"change","watch":99,"key":"z"}',
    "{no JSON",
  ]);
});

Deno.test("a watch that nobody reads leaves changes at the servers, and misses none", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  await using watch = await session.kv.watch("k");
  const sets = Array.from({ length: 1_500 }, (_, i) => session.kv.set("k", i + 1));
  await Promise.all(sets);
  const [known] = server.model.sessions.values();
  await until(() => known?.unacked.size === 500);
  const seen = await next(watch, 1_500);
  assert.deepEqual(seen, seen.map((_, i) => [i + 1, i + 1]));
  await until(() => known?.unacked.size === 0);
});

Deno.test("a watch that is stopped unread makes room for others", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  const watch = await session.kv.watch("k");
  await Promise.all(Array.from({ length: 1_200 }, (_, i) => session.kv.set("k", i)));
  const [known] = server.model.sessions.values();
  await until(() => known?.unacked.size === 200);
  await watch.stop();
  await until(() => known?.unacked.size === 0);
});

Deno.test("when changes became too many for the servers, reading says so", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  await using watch = await session.kv.watch("k");
  await session.kv.set("k", 1);
  tell(server.model, { push: "overflow" });
  assert.deepEqual(await next(watch, 1), [[1, 1]]);
  await assert.rejects(next(watch, 1), RevisionGoneError);
  assert.equal(server.model.values.watches, 0);
  const { value } = await withPatience(session.serverRequests[Symbol.asyncIterator]().next());
  assert.equal(new TextDecoder().decode(value.payload), '{"push":"overflow"}');
});

Deno.test("what comes after the gap is not read before the word of it, in this process or the next", async () => {
  await using server = startScriptedServer(HOST);
  const before = await connected(server);
  const watch = await before.kv.watch("k");
  await before.kv.set("k", 1);
  tell(server.model, { push: "overflow" });
  await before.kv.set("k", 2);
  assert.deepEqual(await next(watch, 1), [[1, 1]]);
  await assert.rejects(next(watch, 1), RevisionGoneError);
  const kept = await before.kv.watch("k");
  await before.kv.set("k", 3);
  assert.deepEqual(await next(kept, 1), [[3, 3]]);
  const resume = before.sessionId as string;
  await before.close({ keep: true });
  await using writer = await connected(server);
  await writer.kv.set("k", 4);
  tell(server.model, { push: "overflow" });
  await writer.kv.set("k", 5);
  await using after = await connected(server, { resume });
  await using again = await after.kv.watch("k");
  assert.deepEqual(await next(again, 1), [[4, 4]]);
  await assert.rejects(next(again, 1), RevisionGoneError);
});

Deno.test("servers that say many times that changes are missing say it once, and placeholders say nothing", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  for (let i = 0; i < 3_000; i++) tell(server.model, { push: i % 3 === 0 ? "missed" : "overflow" });
  const [known] = server.model.sessions.values();
  await until(() => known?.unacked.size === 0);
  tell(server.model, { n: 1 });
  const reader = session.serverRequests[Symbol.asyncIterator]();
  const texts: string[] = [];
  for (const _ of [1, 2]) {
    const { value } = await withPatience(reader.next());
    texts.push(new TextDecoder().decode(value.payload));
  }
  assert.deepEqual(texts, ['{"push":"overflow"}', '{"n":1}']);
});

Deno.test("watches end with their session, with its reason or without one", async () => {
  for (const autoRenew of [false, true]) {
    await using server = startScriptedServer(HOST);
    await using session = await connected(server, { autoRenew });
    const watch = await session.kv.watch("k");
    const reading = assert.rejects(next(watch, 1), SessionExpiredError);
    server.model.expire("session-1");
    server.hangUp();
    await reading;
    await watch.stop();
    if (!autoRenew) continue;
    await using again = await session.kv.watch("k");
    await session.kv.set("k", 1);
    assert.deepEqual(await next(again, 1), [[1, 1]]);
    await session.close();
    assert.deepEqual(await next(again, 1), []);
    await assert.rejects(session.kv.watch("k"), ConnectionClosedError);
  }
});

Deno.test("a signal ends a watch, also while it is opened", async () => {
  await using server = startScriptedServer(HOST);
  await using session = await connected(server);
  const reason = new Error("enough");
  const giving = new AbortController();
  const watch = await session.kv.watch("k", { signal: giving.signal });
  const reading = assert.rejects(next(watch, 1), (error) => error === reason);
  giving.abort(reason);
  await reading;
  await until(() => server.model.values.watches === 0);
  const { signal } = giving;
  await assert.rejects(session.kv.watch("k", { signal }), (error) => error === reason);
});

Deno.test("another process that watches the same goes on where the first one was", async () => {
  await using server = startScriptedServer(HOST);
  const before = await connected(server);
  const watch = await before.kv.watch("k");
  await before.kv.set("k", 1);
  assert.deepEqual(await next(watch, 1), [[1, 1]]);
  const [known] = server.model.sessions.values();
  await until(() => known?.unacked.size === 0);
  const resume = before.sessionId as string;
  await before.close({ keep: true });
  await using writer = await connected(server);
  await writer.kv.set("k", 2);
  await using after = await connected(server, { resume });
  await writer.kv.set("k", 3);
  await using again = await after.kv.watch("k");
  await writer.kv.set("k", 4);
  assert.deepEqual(await next(again, 3), [[2, 2], [3, 3], [4, 4]]);
});
