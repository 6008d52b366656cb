/**
 * The life of sessions at one server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CLOSED } from "../../../protocol/sessions/mod.ts";
import { eventually } from "../../support/agents.ts";
import { oneServer } from "../../support/sessions/server.ts";

const TIMEOUT_MS = 5_000;
const SHORT = {
  sessions: { timeoutMs: TIMEOUT_MS },
  raft: { electionTimeoutMs: 500, heartbeatMs: 50 },
};

Deno.test("a session goes on at a new connection, the old one ends, and its requests go on", async () => {
  await using server = await oneServer();
  const old = await server.open();
  const id = await old.create();
  assert.match(await old.command(1, { action: "INCR", key: "n" }), /"result":1,/);
  const next = await server.open();
  assert.equal(await next.goOn(id), "continued");
  await old.ended();
  assert.match(await next.command(2, { action: "INCR", key: "n" }), /"result":2,/);
});

Deno.test("a connection that is lost does not end its session", async () => {
  await using server = await oneServer();
  const first = await server.open();
  const id = await first.create();
  await first.close();
  const next = await server.open();
  assert.equal(await next.goOn(id), "continued");
  await next.send({ kind: "connectionClosed" });
  await next.ended();
  assert.equal(await (await server.open()).goOn(id), "continued");
});

Deno.test("a client that ends its session cannot go on with it", async () => {
  await using server = await oneServer();
  const client = await server.open();
  const id = await client.create();
  await client.send({ kind: "closeSession", reason: 1 });
  assert.equal(await (await server.open()).goOn(id), "rejected 2");
  await client.ended();
  assert.equal(await (await server.open()).goOn(id), "rejected 2");
});

Deno.test("a session outlives the time of silence by its signs of life, and ends without them: not before and at most two seconds late", async () => {
  await using server = await oneServer(SHORT);
  const [alive, silent] = [await server.open(), await server.open()];
  const ids = [await alive.create(), await silent.create()] as const;
  const began = performance.now();
  const timer = setInterval(() => {
    alive.send({ kind: "keepAlive", time: 1_800_000_000_000 }).catch(() => {});
  }, 1_000);
  try {
    await eventually("the silent session has ended", () => silent.waiting > 0);
  } finally {
    clearInterval(timer);
  }
  const lasted = performance.now() - began;
  assert.ok(lasted >= TIMEOUT_MS - 50 && lasted <= TIMEOUT_MS + 2_000, `${lasted}`);
  assert.equal(await silent.closed(), CLOSED.sessionExpired);
  assert.equal(await (await server.open()).goOn(ids[1]), "rejected 2");
  for (let left = alive.waiting; left > 0; left--) {
    assert.equal((await alive.next("keepAliveResponse")).time, 1_800_000_000_000);
  }
  assert.equal(await (await server.open()).goOn(ids[0]), "continued");
});

Deno.test("a request that comes after its session has expired is not executed", async () => {
  await using server = await oneServer();
  const [client, other] = [await server.open(), await server.open()];
  const id = await client.create();
  await other.create();
  assert.match(await client.command(1, { action: "INCR", key: "n" }), /"result":1,/);
  const thief = await server.open();
  assert.equal(await thief.goOn(id), "continued");
  await thief.send({ kind: "closeSession", reason: 1 });
  await client.request(2, { action: "INCR", key: "n" }).catch(() => {});
  await thief.request(3, { action: "INCR", key: "n" }).catch(() => {});
  await thief.ended();
  assert.match(await other.query({ action: "GET", key: "n" }), /"result":1,/);
});

Deno.test("sessions survive the restart of a server, and what they have done", async () => {
  await using server = await oneServer();
  const client = await server.open();
  const id = await client.create();
  const answer = await client.command(1, { action: "INCR", key: "n" });
  await client.request(2, { action: "WATCH", key: "n", initial: true }, 1);
  await client.result(2);
  await server.restart();
  assert.equal(await client.closed(), CLOSED.shutdown);
  const next = await server.open();
  assert.equal(await next.goOn(id), "continued");
  assert.deepEqual(await next.requestIds(2), [1, 2]);
  assert.equal(await next.command(1, { action: "INCR", key: "n" }), answer);
  assert.match(await next.query({ action: "GET", key: "n" }), /"result":1,/);
});

Deno.test("a request is known again after a snapshot, a log without it and a restart", async () => {
  await using server = await oneServer({
    raft: { electionTimeoutMs: 500, heartbeatMs: 50, trailing: 1 },
  });
  const client = await server.open();
  const id = await client.create();
  const answer = await client.command(1, { action: "INCR", key: "n" });
  assert.ok(await server.agent.state?.administer("snapshot"));
  await server.restart();
  const next = await server.open();
  assert.equal(await next.goOn(id), "continued");
  assert.equal(await next.command(1, { action: "INCR", key: "n" }), answer);
  assert.match(await next.command(2, { action: "INCR", key: "n" }, 1), /"result":2,/);
});

Deno.test("a client that names itself and asks twice with one nonce has one session", async () => {
  await using server = await oneServer();
  const ids = [];
  for (let i = 0; i < 2; i++) {
    await using client = await server.open();
    ids.push(await client.create([["client-id", "me"]]));
  }
  assert.equal(ids[0], ids[1]);
  await using client = await server.open();
  assert.notEqual(await client.create([["client-id", "you"]]), ids[0]);
});
