/**
 * The key-value client with a port of the program, and with ports that misbehave.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConditionFailedError,
  ConnectError,
  ConnectionClosedError,
  KvClient,
  KvError,
  type KvValue,
  NoLeaderError,
  OutcomeUnknownError,
  TimeoutError,
} from "../../../client/mod.ts";
import { NO_LEADER, OUTCOME_UNKNOWN } from "../../../server/replica/service.ts";
import { startScriptedPort } from "../../support/kv/scripted_port.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

function addressOf({ port: { address } }: Stage): string {
  return `${address.hostname}:${address.port}`;
}

Deno.test("values are set, got, counted and deleted", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage), name: "test" });
  assert.equal(client.connected, true);
  assert.equal(await client.get("k"), undefined);
  assert.deepEqual(await client.set("k", { a: [1, "é", null] }), { rev: 1 });
  assert.deepEqual(await client.get("k"), { value: { a: [1, "é", null] }, rev: 1 });
  assert.deepEqual(await client.get(["global", "k"], { consistency: "stale" }), {
    value: { a: [1, "é", null] },
    rev: 1,
  });
  assert.equal(await client.increment("n"), 1);
  assert.equal(await client.increment("n", -3), -2);
  assert.deepEqual(await client.set("x^y", null, { nx: true }), { rev: 4 });
  assert.deepEqual(await client.exists("^x"), { value: false, children: true });
  assert.equal(await client.delete("^x", { tree: true }), 1);
  assert.equal(await client.delete("k"), 1);
  assert.equal(await client.delete("k"), 0);
  await client.set("k", 7, { namespace: "app" });
  assert.equal((await client.get("app^k"))?.value, 7);
  await client.ping();
});

Deno.test("what does not succeed is an error that says why", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  await client.set("k", "text");
  await assert.rejects(client.set("k", 1, { nx: true }), (error) => {
    assert.ok(error instanceof ConditionFailedError);
    assert.deepEqual([error.rev, error.code, error.reason], [1, 409, "CONDITION_FAILED"]);
    return true;
  });
  await assert.rejects(client.delete("k", { ifRev: 9 }), ConditionFailedError);
  await assert.rejects(client.increment("k"), { name: "KvError", reason: "NOT_INTEGER" });
  await assert.rejects(client.get("a^^b"), {
    name: "KvError",
    code: 422,
    reason: "BAD_KEY",
    field: "key",
  });
  stage.state.failure = NO_LEADER;
  await assert.rejects(client.set("k", 1), NoLeaderError);
  await assert.rejects(client.get("k"), NoLeaderError);
  stage.state.failure = OUTCOME_UNKNOWN;
  await assert.rejects(client.set("k", 1), OutcomeUnknownError);
});

Deno.test("calls that overlap get their own answers, in order", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  const sums = await Promise.all(Array.from({ length: 5_000 }, () => client.increment("n")));
  assert.deepEqual(sums, sums.map((_, i) => i + 1));
  const mixed = await Promise.all([
    client.set("k", 1),
    client.get("k"),
    client.get("a^^b").catch((error) => error.reason),
    client.set("k", 2),
    client.get("k"),
  ]);
  assert.deepEqual(mixed, [
    { rev: 5_001 },
    { value: 1, rev: 5_001 },
    "BAD_KEY",
    { rev: 5_002 },
    { value: 2, rev: 5_002 },
  ]);
});

Deno.test("a change without an answer in time may have been done, and the next call gets its own answer", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  stage.state.hold();
  await assert.rejects(client.increment("n", 1, { timeoutMs: 50 }), (error) => {
    assert.ok(error instanceof OutcomeUnknownError);
    assert.ok(error.cause instanceof TimeoutError);
    return true;
  });
  await assert.rejects(client.get("n", { timeoutMs: 50 }), TimeoutError);
  const reason = new Error("enough");
  const given = new AbortController();
  const call = client.increment("n", 1, { signal: given.signal });
  given.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  const next = client.increment("n");
  await until(() => stage.state.waiting > 0);
  stage.state.release();
  assert.equal(await next, 3);
});

Deno.test("when the connection ends, calls under way end, changes as unknown", async () => {
  await using port = startScriptedPort(HOST, ({ action }) => action === "GET" ? null : undefined);
  await using client = await KvClient.connect({ address: port.address });
  const [set, get] = await Promise.allSettled([client.set("k", 1), client.get("k")]);
  assert.ok(set.status === "rejected" && set.reason instanceof OutcomeUnknownError);
  assert.ok(set.reason.cause instanceof ConnectionClosedError);
  assert.ok(get.status === "rejected" && get.reason instanceof ConnectionClosedError);
  assert.equal(client.connected, false);
  await assert.rejects(client.set("k", 1), ConnectionClosedError, "this one was not sent");
  assert.ok(await client.closed instanceof ConnectionClosedError);
});

Deno.test("the reason that an agent gives for the end is told", async () => {
  const stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  await stage.port.close();
  const end = await client.closed;
  assert.equal((end?.cause as Error).message, "Agent says SHUTTING_DOWN and closes");
});

Deno.test("a client that has nothing to ask is not taken for idle", async () => {
  await using stage = serve(HOST, { idleLimitMs: 300 });
  await using client = await KvClient.connect({ address: addressOf(stage) });
  const start = performance.now();
  await until(() => performance.now() - start > 1_000);
  assert.equal(client.connected, true);
  await client.ping();
});

Deno.test("a client connects again when it shall", async () => {
  await using _stage = serve(HOST);
  let connections = 0;
  await using port = startScriptedPort(HOST, ({ action }) => {
    if (action === "HELLO") connections++;
    return action === "GET" ? '{"status":"ok","result":"v","rev":5}\n' : undefined;
  });
  await using client = await KvClient.connect({
    address: port.address,
    reconnect: { minDelayMs: 1 },
  });
  const lost = client.set("k", 1);
  await until(() => connections === 1);
  port.hangUp();
  await assert.rejects(lost, OutcomeUnknownError);
  assert.deepEqual(await client.get("k"), { value: "v", rev: 5 });
  assert.equal(connections, 2);
});

Deno.test("who is no agent, or has no room, is told from one", async () => {
  await using odd = startScriptedPort(HOST, () => "HTTP/1.1 400 Bad Request\r\n");
  await assert.rejects(KvClient.connect({ address: odd.address }), (error) => {
    assert.ok(error instanceof ConnectionClosedError);
    assert.match(String(error.cause), /Expected the answer of an agent/);
    return true;
  });
  await using old = startScriptedPort(
    HOST,
    () => '{"status":"error","code":426,"error":"x","reason":"UNSUPPORTED_VERSION"}\n',
  );
  await assert.rejects(KvClient.connect({ address: old.address }), { code: 426 });
  await using stage = serve(HOST, { maxConnections: 1 });
  await using _client = await KvClient.connect({ address: addressOf(stage) });
  await assert.rejects(KvClient.connect({ address: addressOf(stage) }), (error) => {
    assert.ok(error instanceof KvError);
    assert.equal(error.reason, "TOO_MANY_CONNECTIONS");
    return true;
  });
  await assert.rejects(KvClient.connect({ address: "127.0.0.1:1" }), ConnectError);
  await using silent = startScriptedPort(HOST, () => "");
  await assert.rejects(KvClient.connect({ address: silent.address, timeoutMs: 50 }), TimeoutError);
});

Deno.test("pushes between answers, and answers cut anywhere, do no harm", async () => {
  const text = '{"push":"new"}\n{"status":"ok","result":"é","rev":1}\r\n\n{"push":"other"}\n';
  await using port = startScriptedPort(
    HOST,
    ({ action }) => action === "GET" ? text : undefined,
  );
  await using client = await KvClient.connect({ address: port.address });
  for (let i = 0; i < 3; i++) assert.deepEqual(await client.get("k"), { value: "é", rev: 1 });
});

Deno.test("a client that is closed makes no calls, and ends those under way", async () => {
  await using stage = serve(HOST);
  const client = await KvClient.connect({ address: addressOf(stage) });
  stage.state.hold();
  const call = client.get("k");
  await until(() => stage.state.waiting === 1);
  const closed = client.close();
  await assert.rejects(call, ConnectionClosedError);
  await closed;
  await client.close();
  assert.equal(await client.closed, undefined);
  await assert.rejects(client.get("k"), ConnectionClosedError);
  stage.state.release();
});

Deno.test("mistakes of programs whose compiler does not find them are one line, and nothing is sent", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  // deno-lint-ignore no-explicit-any
  const untyped: any = client;
  const calls: [call: () => Promise<unknown>, message: string][] = [
    [() => untyped.get(5), "Invalid key: expected a string or an array of strings, got number 5"],
    [() => untyped.get([5]), "Invalid key: expected an array of strings, got an array"],
    [
      () => untyped.get("k", { stale: true }),
      "Unknown option 'stale' of get: expected signal, timeoutMs, namespace, consistency",
    ],
    [
      () => untyped.set("k", 1, { nx: 1 }),
      "Invalid option 'nx' of set: expected true or false, got number 1",
    ],
    [() => untyped.set("k"), "Invalid value: expected one that JSON has, got undefined"],
    [() => client.set("k", NaN), "Invalid value: expected one that JSON has, got NaN"],
    [() => client.set("k", [Infinity]), "Invalid value: expected one that JSON has, got Infinity"],
    [() => untyped.set("k", () => {}), "Invalid value: expected one that JSON has, got a function"],
    [() => untyped.increment("k", "1"), 'Invalid number to add: expected a number, got string "1"'],
  ];
  for (const [call, message] of calls) await assert.rejects(call, { name: "TypeError", message });
  await assert.rejects(client.set("k", 10n as unknown as KvValue), TypeError);
  assert.equal(stage.state.waiting, 0);
  await assert.rejects(
    KvClient.connect({ adress: "x" } as object),
    { message: /^Unknown option 'adress' of connect/ },
  );
});
