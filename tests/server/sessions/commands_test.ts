/**
 * Requests of sessions: executed once, whatever comes how often.
 *
 * @module
 */

import assert from "node:assert/strict";
import { statusOf } from "../../support/replica/agents.ts";
import { EXTENDED, queryOf, requestOf } from "../../support/sessions/raw_client.ts";
import { oneServer } from "../../support/sessions/server.ts";

const INCR = { action: "INCR", key: "n" };
const GET = { action: "GET", key: "n" };

Deno.test("the same request has the same answer and is executed once, at once and later", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  await client.send(...[1, 1, 1].map((id) => requestOf(id, INCR, 1)));
  const answers = [await client.result(1), await client.result(1), await client.result(1)];
  answers.push(await client.command(1, INCR), await client.command(1, INCR));
  assert.deepEqual(new Set(answers), new Set(['{"status":"ok","result":1,"rev":1}']));
  assert.match(await client.query(GET), /"result":1,/);
});

Deno.test("a large answer that is asked for again and again is sent as the client reads", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  const value = "x".repeat(500_000);
  await client.command(1, { action: "SET", key: "n", value });
  const answer = await client.command(2, GET, 1);
  await client.send(...Array.from({ length: 100 }, () => requestOf(2, GET, 1)));
  for (let i = 0; i < 100; i++) assert.equal(await client.result(2), answer);
});

Deno.test("what a client has the answer of is forgotten, refused and never executed again, even if it takes that back", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  for (let id = 1; id <= 5; id++) await client.command(id, INCR, 1);
  await client.command(6, INCR, 6);
  assert.equal(await client.command(3, INCR, 3), "error 1");
  await client.command(7, INCR, 2);
  assert.equal(await client.command(3, INCR, 2), "error 1");
  assert.match(await client.query(GET), /"result":7,/);
});

Deno.test("a failure is kept like a result", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  const onlyNew = { action: "SET", key: "n", value: 1, nx: true };
  assert.match(await client.command(1, { action: "SET", key: "n", value: 0 }), /"ok"/);
  const failure = await client.command(2, onlyNew, 1);
  assert.match(failure, /^\{"status":"error","code":409,/);
  await client.command(3, { action: "DEL", key: "n" }, 1);
  assert.equal(await client.command(2, onlyNew, 1), failure);
  assert.match(await client.command(4, onlyNew, 1), /"ok"/);
});

Deno.test("requests that are sent without waiting are executed once each, in their order", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  const ids = Array.from({ length: 1_000 }, (_, i) => i + 1);
  await client.send(...ids.map((id) => requestOf(id, { ...INCR, by: id % 2 === 0 ? -1 : 2 }, 1)));
  let value = 0;
  for (const id of ids) {
    value += id % 2 === 0 ? -1 : 2;
    assert.equal(await client.result(id), `{"status":"ok","result":${value},"rev":${id}}`);
  }
});

Deno.test("ids too far above the lowest one that waits are refused", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  await client.command(1, INCR);
  assert.equal(await client.command(5_001, INCR, 1), "error 2");
  assert.equal(await client.command(1_025, INCR, 1), "error 2");
  assert.match(await client.command(1_024, INCR, 1), /"result":2,/);
});

Deno.test("a payload that is no request is refused, and nothing is executed", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create(EXTENDED);
  await client.next("sessionState");
  await client.next("clusterInfo");
  const { last_index } = await statusOf(server.agent);
  const encoder = new TextEncoder();
  const bad = ["", "x", "[]", "1", " {}", "{", '{"action":', "null", "\u0000", "[".repeat(100_000)];
  for (const text of [...bad, "{".repeat(70) + "}".repeat(70)]) {
    assert.equal(await client.command(1, encoder.encode(text)), "error 5", text);
    assert.equal(await client.query(encoder.encode(text)), "error 3", text);
  }
  const notUtf8 = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d);
  assert.equal(await client.command(1, notUtf8), "error 5");
  assert.equal((await statusOf(server.agent)).last_index, last_index);
});

Deno.test("a payload of more than 1 MiB is refused, and the largest value is not", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create(EXTENDED);
  await client.next("sessionState");
  await client.next("clusterInfo");
  const sized = (bytes: number): Uint8Array => {
    const all = new Uint8Array(bytes).fill(0x20);
    all.set(new TextEncoder().encode('{"action":"GET","key":"n"'));
    all[bytes - 1] = 0x7d;
    return all;
  };
  assert.equal(await client.command(1, sized(1024 * 1024 + 1)), "error 4");
  assert.equal(await client.query(sized(1024 * 1024 + 1)), "error 3");
  assert.match(await client.command(1, sized(1024 * 1024)), /"error","code":404/);
  const value = "x".repeat(512 * 1024 - 2);
  assert.match(await client.command(2, { action: "SET", key: "n", value }), /"ok"/);
  assert.equal(JSON.parse(await client.query(GET)).result, value);
  assert.match(await client.command(3, { action: "SET", key: "n", value: value + "x" }), /413/);
});

Deno.test("wrong members are told as the key-value port tells them, and make no entry", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  const { last_index } = await statusOf(server.agent);
  const told = async (payload: unknown): Promise<unknown> => {
    const { code, field } = JSON.parse(await client.command(1, payload));
    return [code, field];
  };
  assert.deepEqual(await told({}), [422, "action"]);
  assert.deepEqual(await told({ action: "NOTHING" }), [405, undefined]);
  assert.deepEqual(await told({ action: "SET", key: "n" }), [422, "value"]);
  assert.deepEqual(await told({ action: "SET", key: "^", value: 1 }), [422, "key"]);
  assert.deepEqual(await told({ action: "WATCH", key: "n", from_rev: 1 }), [422, "from_rev"]);
  assert.equal((await statusOf(server.agent)).last_index, last_index);
});

Deno.test("a request of a session has no number of the other port besides its own", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  assert.match(await client.command(1, { ...INCR, rid: 1 }), /"code":422.*"field":"rid"/);
  assert.match(await client.command(2, { ...INCR, low: 1 }), /"code":422.*"field":"low"/);
});

Deno.test("actions that are about a connection, or cannot be repeated, are unknown to sessions", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  const requests = [
    { action: "AUTH", token: "x" },
    { action: "USE", namespace: "x" },
    { action: "HELLO" },
    { action: "QUIT" },
    { action: "PING" },
    { action: "ECHO", value: 1 },
    { action: "INFO" },
    { action: "SUBSCRIBE", channel: "x" },
    { action: "UNSUBSCRIBE", channel: "x" },
    { action: "PUBLISH", channel: "x", message: 1 },
    { action: "SESSION", op: "create" },
  ];
  for (const request of requests) {
    assert.match(await client.command(1, request), /"code":405/, request.action);
    assert.match(await client.query(request), /"code":405/, request.action);
  }
  for (const request of [{ action: "KEYS" }, { action: "CHILDREN", key: "n" }]) {
    assert.match(await client.command(1, request), /"code":405/, request.action);
    assert.match(await client.query(request), /"ok"/, request.action);
  }
  for (
    const request of [INCR, { action: "SET", key: "n", value: 1 }, { action: "WATCH", key: "n" }]
  ) {
    assert.match(await client.query(request), /"code":405/, request.action);
  }
});

Deno.test("answers are those of the key-value port, without an id", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  const all = [
    [
      { action: "set", key: "a", value: { b: [1] }, ttl_ms: 1e9 },
      '{"status":"ok","result":"OK","rev":1}',
    ],
    [{ action: "MSET", items: [{ key: "m", value: 1 }] }, '{"status":"ok","result":"OK","rev":2}'],
    [{ action: "MGET", keys: ["m", "o"] }, undefined],
    [{ action: "TXN", then: [{ action: "INCR", key: "m" }] }, undefined],
    [{ id: 7, action: "GET", key: "m" }, '{"status":"ok","result":2,"rev":3}'],
    [{ action: "TTL", key: "m" }, undefined],
    [{ action: "DEL", key: "m", if_rev: 1 }, undefined],
    [{ action: "GET", key: "nothing" }, undefined],
  ] as const;
  const [hostname = "", port] = server.agent.state?.addresses.kvAddr?.split(":") ?? [];
  for (const [i, [request, expected]] of all.entries()) {
    const answer = await client.command(i + 1, request);
    if (expected !== undefined) assert.equal(answer, expected);
    if (/SET|TXN/i.test(request.action)) continue;
    using conn = await Deno.connect({ hostname, port: Number(port) });
    const { id: _, ...line } = request as { id?: number };
    await conn.write(new TextEncoder().encode(JSON.stringify(line) + "\n"));
    const buffer = new Uint8Array(65_536);
    const count = await conn.read(buffer) ?? 0;
    assert.equal(answer + "\n", new TextDecoder().decode(buffer.subarray(0, count)));
  }
});

Deno.test("queries make no entry, and see what was asked for before them on their connection", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  for (let i = 1; i <= 50; i++) {
    const id = 2 * i;
    await client.send(requestOf(id, INCR, id), queryOf(GET, `q${i}`));
    await client.result(id);
    const { correlationId, result } = await client.next("queryResponse");
    assert.equal(correlationId, `q${i}`);
    assert.equal(JSON.parse(new TextDecoder().decode(result)).result, i);
  }
  const { last_index } = await statusOf(server.agent);
  for (let i = 0; i < 1_000; i++) await client.query(GET, `q${i}`);
  assert.equal((await statusOf(server.agent)).last_index, last_index);
  assert.match(await client.query({ ...GET, consistency: "stale" }), /"lag_ms":0\}$/);
  assert.match(await client.query({ ...GET, consistency: "lease" }), /"result":50,"rev":50\}$/);
});
