/**
 * Sessions on the key-value port: requests that are executed once, and watches that outlive their connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import { expireSessionsCommand, NOBODY } from "../../../cluster/machine/mod.ts";
import { Sessions } from "../../../server/replica/sessions/mod.ts";
import { realClock, realRandom } from "../../../server/runtime.ts";
import { eventually } from "../../support/agents.ts";
import { MemoryState } from "../../support/kv/memory_state.ts";
import { brief, type KvPeer, type Reply, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

const INCR = { action: "INCR", key: "n" };

/** Begins a session; gives its id. */
async function begin(client: KvPeer, more: object = {}): Promise<string> {
  const { result } = await client.ask({ action: "SESSION", op: "create", ...more });
  return (result as { session: string }).session;
}

async function goOn(client: KvPeer, session: string): Promise<Reply> {
  return await client.ask({ action: "SESSION", op: "continue", session });
}

async function briefly(client: KvPeer, request: object): Promise<string> {
  return brief(await client.ask(request));
}

Deno.test("a session begins, and tells how to go on with it", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const { result } = await client.ask({
    action: "SESSION",
    op: "create",
    capabilities: { worker: "v2" },
  });
  const { session, ...rest } = result as { session: string };
  assert.match(session, /^[0-9a-f]{32}$/);
  assert.deepEqual(rest, { timeout_ms: 90_000, next_rid: 1 });
  assert.equal(await briefly(client, { ...INCR, rid: 1, low: 1 }), "1 rev 1");
  using other = await stage.client();
  const going = await goOn(other, session);
  assert.deepEqual(going.result, { session, timeout_ms: 90_000, next_rid: 2 });
});

Deno.test("a request that comes again is executed once and has the same answer, a failure too", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const session = await begin(client);
  for (let i = 0; i < 3; i++) {
    assert.equal(await briefly(client, { ...INCR, rid: 1, low: 1 }), "1 rev 1");
  }
  const set = { action: "SET", key: "a", value: 1, xx: true, rid: 2, low: 1 };
  assert.equal(await briefly(client, set), "409 CONDITION_FAILED rev 0");
  assert.equal(await briefly(client, { action: "SET", key: "a", value: 0 }), '"OK" rev 2');
  assert.equal(await briefly(client, set), "409 CONDITION_FAILED rev 0");
  using other = await stage.client();
  await goOn(other, session);
  assert.equal(await briefly(other, { ...INCR, rid: 1, low: 1 }), "1 rev 1");
  assert.equal(await briefly(other, { action: "GET", key: "n", rid: 3 }), "1 rev 1");
  assert.equal(await briefly(other, { ...INCR }), "2 rev 3");
  assert.equal(await briefly(other, { action: "GET", key: "n", rid: 3 }), "1 rev 1");
});

Deno.test("answers below the lowest that is not answered are forgotten, and not executed again", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await begin(client);
  const requests = [1, 2, 3].map((rid) => ({ ...INCR, rid, low: 1 }));
  assert.deepEqual((await client.all(requests)).map(brief), ["1 rev 1", "2 rev 2", "3 rev 3"]);
  assert.equal(await briefly(client, { ...INCR, rid: 4, low: 3 }), "4 rev 4");
  assert.equal(await briefly(client, { ...INCR, rid: 3, low: 3 }), "3 rev 3");
  assert.equal(await briefly(client, { ...INCR, rid: 2, low: 2 }), "410 RESPONSE_EVICTED");
  assert.equal(await briefly(client, { ...INCR, rid: 2_000 }), "429 TOO_MANY_IN_FLIGHT");
  assert.equal(await briefly(client, { action: "GET", key: "n" }), "4 rev 4");
});

Deno.test("without low all answers are kept, as many as there may be", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await begin(client);
  const requests = Array.from({ length: 1_024 }, (_, i) => ({ ...INCR, rid: i }));
  const [first, ...others] = (await client.all(requests)).map(brief);
  assert.equal(first, "422 INVALID (rid)");
  assert.equal(others.at(-1), "1023 rev 1023");
  assert.equal(await briefly(client, { ...INCR, rid: 1_024 }), "429 TOO_MANY_IN_FLIGHT");
  assert.equal(await briefly(client, { ...INCR, rid: 1_024, low: 1_024 }), "1024 rev 1024");
});

Deno.test("every request that is one command may be one of a session, and no other", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  assert.equal(await briefly(client, { ...INCR, rid: 1 }), "422 INVALID (rid)");
  assert.equal(
    await briefly(client, { action: "SESSION", op: "close" }),
    "422 INVALID (op)",
  );
  await begin(client);
  const asked = [
    [{ action: "SET", key: "a", value: 1 }, '"OK" rev 1'],
    [{ action: "GET", key: "a" }, "1 rev 1"],
    [{ action: "EXPIRE", key: "a", ttl: 90 }, '"OK"'],
    [{ action: "PERSIST", key: "a" }, "true"],
    [{ action: "MSET", items: [{ key: "b", value: 2 }] }, '"OK" rev 4'],
    [
      { action: "TXN", then: [{ action: "GET", key: "b" }] },
      '{"succeeded":true,"results":[2]} rev 4',
    ],
    [{ action: "DEL", key: "b" }, "1 rev 5"],
    [{ action: "WATCH", key: "a" }, '{"watch":1,"rev":5}'],
    [{ action: "UNWATCH", watch: 1 }, '"OK"'],
    [{ action: "WATCH", key: "a", from_rev: 1 }, "422 INVALID (from_rev)"],
    [{ action: "PING" }, "422 INVALID (rid)"],
    [{ action: "KEYS" }, "422 INVALID (rid)"],
    [{ action: "PUBLISH", channel: "c", message: 1 }, "422 INVALID (rid)"],
    [{ action: "SESSION", op: "close" }, "422 INVALID (rid)"],
  ] as const;
  for (const [i, [request, answer]] of asked.entries()) {
    assert.equal(await briefly(client, { ...request, rid: i + 1 }), answer);
  }
  const wrong = [
    [{ ...INCR, rid: 0 }, "rid"],
    [{ ...INCR, rid: "1" }, "rid"],
    [{ ...INCR, rid: 1.5 }, "rid"],
    [{ ...INCR, low: 1 }, "rid"],
    [{ ...INCR, rid: 50, low: -1 }, "low"],
    [{ action: "TXN", then: [{ ...INCR, rid: 1 }], rid: 50 }, "then"],
    [{ action: "SESSION", op: "begin" }, "op"],
    [{ action: "SESSION" }, "op"],
    [{ action: "SESSION", op: "continue" }, "session"],
    [{ action: "SESSION", op: "ack" }, "ack"],
    [{ action: "SESSION", op: "create", capabilities: { "a b": "c" } }, "capabilities"],
    [{ action: "SESSION", op: "create", capabilities: {} }, "capabilities"],
    [{ action: "SESSION", op: "create", capabilities: { a: 1 } }, "capabilities"],
  ] as const;
  for (const [request, field] of wrong) {
    assert.equal(await briefly(client, request), `422 INVALID (${field})`, JSON.stringify(request));
  }
});

Deno.test("watches of a session outlive its connection: what it has not acknowledged comes at the next one", async () => {
  await using stage = serve(HOST);
  const session = await (async () => {
    using client = await stage.client();
    const session = await begin(client);
    await client.ask({ action: "WATCH", key: "n", rid: 1 });
    await client.ask({ ...INCR, rid: 2 });
    const [push] = await client.pushes(1);
    assert.deepEqual(push, {
      push: "change",
      watch: 1,
      key: "global^n",
      kind: "set",
      created: true,
      value: 1,
      rev: 1,
      ack: 1,
    });
    return session;
  })();
  using writer = await stage.client();
  for (let i = 2; i <= 5; i++) assert.equal(await briefly(writer, INCR), `${i} rev ${i}`);
  using next = await stage.client();
  await goOn(next, session);
  const pushes = await next.pushes(5);
  assert.deepEqual(
    pushes.map(({ value, ack }) => [value, ack]),
    [1, 2, 3, 4, 5].map((n) => [n, n]),
  );
  assert.equal(await briefly(next, { action: "SESSION", op: "ack", ack: 3 }), '"OK"');
  await eventually("it is forgotten", () => stage.state.sessions.find(session)?.pending === 2);
  using last = await stage.client();
  await last.send(`${JSON.stringify({ action: "SESSION", op: "continue", session })}\n`);
  assert.match((await last.lines.lines(1))[0] ?? "", /"next_rid":3/, "the answer comes first");
  assert.deepEqual((await last.pushes(2)).map(({ value }) => value), [4, 5]);
});

Deno.test("what a watch of a session begins with comes after its answer, and no more than is acknowledged", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await begin(client);
  const items = Array.from({ length: 150 }, (_, i) => ({ key: `k^${1_000 + i}`, value: i }));
  await client.ask({ action: "MSET", items, rid: 1 });
  await client.send(
    `${JSON.stringify({ action: "WATCH", key: "^k", tree: true, initial: true, rid: 2 })}\n`,
  );
  const [first = ""] = await client.lines.lines(1);
  assert.equal(first, '{"status":"ok","result":{"watch":1,"rev":1}}');
  const pushes = await client.pushes(100);
  assert.deepEqual(pushes.map(({ value }) => value), items.slice(0, 100).map(({ value }) => value));
  // Nothing else comes before the answer to what is asked now.
  assert.equal(await briefly(client, { action: "PING" }), '"PONG"');
  await client.ask({ action: "SESSION", op: "ack", ack: 100 });
  const rest = await client.pushes(51);
  assert.deepEqual(rest.map(({ ack }) => ack), Array.from({ length: 51 }, (_, i) => 101 + i));
  assert.equal(rest.at(-1)?.["push"], "synced");
});

Deno.test("a session that is closed has no watches and no requests any more, and its connection goes on", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const session = await begin(client);
  await client.ask({ action: "WATCH", key: "n", rid: 1 });
  assert.equal(stage.state.sessions.find(session)?.watches, 1);
  assert.equal(await briefly(client, { action: "SESSION", op: "close" }), '"OK"');
  assert.equal(stage.state.sessions.find(session), undefined);
  assert.equal(await briefly(client, { ...INCR, rid: 2 }), "410 SESSION_EXPIRED");
  assert.equal(await briefly(client, INCR), "1 rev 1");
  assert.equal(
    await briefly(client, { action: "SESSION", op: "ack", ack: 1 }),
    "410 SESSION_EXPIRED",
  );
  assert.equal(brief(await goOn(client, session)), "410 SESSION_EXPIRED");
  assert.equal(brief(await goOn(client, "x")), "410 SESSION_EXPIRED");
});

Deno.test("a client is told at once when somebody else ends its session, and its connection goes on", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const session = await begin(client);
  const since = performance.now();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  stage.state.propose(expireSessionsCommand([Uint8Array.fromHex(session)]), 1_000, resolve);
  await promise;
  assert.deepEqual(await client.pushes(1), [
    { push: "session", code: 410, reason: "SESSION_EXPIRED" },
  ]);
  assert.ok(performance.now() - since < 5_000);
  assert.equal(await briefly(client, { ...INCR, rid: 1 }), "410 SESSION_EXPIRED");
  assert.equal(await briefly(client, INCR), "1 rev 1");
});

Deno.test("the state knows whether a session is on a connection", async () => {
  await using stage = serve(HOST);
  const session = await (async () => {
    using client = await stage.client();
    const session = await begin(client);
    assert.notEqual(stage.state.sessions.find(session)?.holder, NOBODY);
    return session;
  })();
  const holder = () => stage.state.sessions.find(session)?.holder;
  await eventually("it is on none", () => holder() === NOBODY);
  using next = await stage.client();
  await goOn(next, session);
  assert.notEqual(holder(), NOBODY);
  await begin(next);
  await eventually("it is left for another one", () => holder() === NOBODY);
});

Deno.test("the newer connection has the session, and the older one is told", async () => {
  await using stage = serve(HOST);
  using older = await stage.client();
  const session = await begin(older);
  await older.ask({ action: "WATCH", key: "n", rid: 1 });
  using newer = await stage.client();
  await goOn(newer, session);
  assert.deepEqual(await older.pushes(1), [
    { push: "session", code: 410, reason: "SESSION_MOVED" },
  ]);
  assert.equal(await briefly(older, { ...INCR, rid: 2 }), "410 SESSION_MOVED");
  assert.equal(await briefly(older, INCR), "1 rev 1");
  assert.deepEqual((await newer.pushes(1)).map(({ value }) => value), [1]);
});

Deno.test("what an earlier connection has asked for is not done after the next one has the session", async () => {
  await using stage = serve(HOST);
  using older = await stage.client();
  const session = await begin(older);
  await older.ask({ ...INCR, rid: 1 });
  stage.state.hold();
  using newer = await stage.client();
  await newer.send(`${JSON.stringify({ action: "SESSION", op: "continue", session })}\n`);
  await eventually("it is asked for", () => stage.state.waiting === 1);
  // The order in which they come to the log is what counts.
  await older.send(`${JSON.stringify({ ...INCR, rid: 2 })}\n`);
  await older.replies(1).then(([reply]) =>
    assert.equal(brief(reply as Reply), "410 SESSION_MOVED")
  );
  stage.state.release();
  await newer.replies(1);
  assert.equal(await briefly(newer, { action: "GET", key: "n" }), "1 rev 1");
  assert.equal(await briefly(newer, { ...INCR, rid: 2 }), "2 rev 2");
});

Deno.test("of a connection that does not know yet that another one has its session nothing is done", async () => {
  await using stage = serve(HOST);
  using older = await stage.client();
  const session = await begin(older);
  // Another server gives the session to a connection of its own, and this one is behind.
  const other = new Sessions(
    { clock: realClock, random: realRandom, timeoutMs: 90_000 },
    () => stage.state,
  );
  stage.state.hold();
  const link = { isOpen: true, hasRoom: () => false, request() {}, part() {} };
  const { promise, resolve } = Promise.withResolvers<unknown>();
  other.attachments.continue(link, session, 1_000, resolve);
  await older.send(`${JSON.stringify({ ...INCR, rid: 1 })}\n`);
  await eventually("both wait", () => stage.state.waiting === 2);
  stage.state.release();
  const [reply] = await older.replies(1);
  assert.equal(brief(reply as Reply), "410 SESSION_MOVED");
  await promise;
  assert.equal(await briefly(older, { action: "GET", key: "n" }), "404 KEY_NOT_FOUND");
  other.close();
});

Deno.test("a session ends when nothing is heard of its client, which is told, and not while it says something", async () => {
  const timeoutMs = 1_600;
  await using stage = serve(HOST, {
    state: new MemoryState(undefined, timeoutMs),
    pingMs: 60_000,
  });
  using silent = await stage.client();
  using alive = await stage.client();
  const [gone, there] = [await begin(silent), await begin(alive)];
  const began = performance.now();
  const talking = (async () => {
    while (performance.now() - began < 4_000) {
      await alive.send('{"action":"PING"}\n');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const pushes = await silent.pushes(2);
  const lasted = performance.now() - began;
  assert.deepEqual(pushes.map(({ push, reason }) => reason ?? push), ["ping", "SESSION_EXPIRED"]);
  assert.ok(lasted >= timeoutMs - 50 && lasted < timeoutMs + 2_000, `${lasted}`);
  await talking;
  assert.equal(stage.state.sessions.find(gone), undefined);
  assert.notEqual(stage.state.sessions.find(there), undefined);
});

Deno.test("sessions begin no faster than at their own port", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const create = { action: "SESSION", op: "create" };
  const answers = (await client.all(Array(3_000).fill(create))).map(brief);
  const begun = answers.filter((answer) => answer.startsWith("{")).length;
  assert.ok(begun >= 1_000 && begun < 3_000, `${begun}`);
  assert.ok(answers.includes("429 TOO_MANY_SESSIONS"));
});

Deno.test("an agent that keeps no state gives no session", async () => {
  await using stage = serve(HOST, {}, false);
  using client = await stage.client();
  for (const op of ["create", "close"]) {
    assert.equal(await briefly(client, { action: "SESSION", op }), "503 NO_SESSIONS");
  }
});
