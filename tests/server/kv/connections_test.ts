/**
 * Connections of the key-value port: how they begin, wait and end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvListenError } from "../../../server/kv/port.ts";
import { brief, type KvPeer, type Reply, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { LineClient } from "../../support/net/line_client.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

Deno.test("a thousand connections are answered", async () => {
  await using stage = serve(HOST);
  const clients: KvPeer[] = [];
  try {
    for (let i = 0; i < 1_000; i++) clients.push(await stage.client());
    for (const client of clients) await client.send('{"action":"PING"}\n');
    const replies = await Promise.all(clients.map((client) => client.replies(1)));
    assert.ok(replies.every(([reply]) => reply?.["result"] === "PONG"));
    assert.equal(stage.port.size, 1_000);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
  await until(() => stage.port.size === 0);
});

Deno.test("in echo mode the same bytes come back", async () => {
  await using stage = serve(HOST, { mode: "echo" });
  using client = await stage.client();
  const text = `  \t {"action":"PING"} \r\n\n é😀 ${"x".repeat(1024 * 1024)}\n\t end`;
  const sent = (async () => {
    await client.send(text);
    await client.lines.finish();
  })();
  assert.equal(await client.lines.rest(), text);
  await sent;
});

Deno.test("clients that vanish anywhere leave nothing behind and harm nobody", async () => {
  await using stage = serve(HOST);
  using other = await stage.client();
  stage.state.hold();
  for (const text of ["", '{"acti', '{"action":"GET","key":"k"}\n', "x".repeat(100_000)]) {
    for (let i = 0; i < 20; i++) {
      using client = await stage.client();
      await client.send(text);
    }
  }
  assert.equal(brief(await other.ask({ action: "PING" })), '"PONG"');
  stage.state.release();
  await until(() => stage.port.size === 1);
  assert.equal(brief(await other.ask({ action: "PING" })), '"PONG"');
  assert.deepEqual(stage.unexpected, []);
});

Deno.test("hello tells who is there, what it can do and where it ends", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const { status, result } = await client.ask({ action: "HELLO", client: "me", version: 1 });
  assert.equal(status, "ok");
  const { limits, actions, ...rest } = result as Record<string, unknown>;
  assert.deepEqual(rest, { server: "skein 1.2.3", node: "alpha", protocol: 1, leader: "alpha" });
  assert.equal((limits as Reply)["line"], 1024 * 1024);
  assert.deepEqual((actions as string[]).slice(0, 3), ["PING", "ECHO", "HELLO"]);
  assert.equal(
    brief(await client.ask({ action: "HELLO", version: 2 })),
    "426 UNSUPPORTED_VERSION (version)",
  );
});

Deno.test("a strict connection refuses members that an action does not have", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const replies = await client.all([
    { action: "PING", more: 1 },
    { action: "HELLO", strict: true, more: 1 },
    { action: "PING", more: 1 },
    { action: "HELLO", strict: true },
    { action: "PING", more: 1 },
    { action: "SET", key: "k", value: 1, constructor: 1 },
    { id: 7, action: "PING", value: 1 },
    { action: "HELLO", strict: false },
    { action: "PING", more: 1 },
  ]);
  assert.deepEqual(replies.map((reply) => brief(reply).slice(0, 25)), [
    '"PONG"',
    "422 INVALID (more)",
    '"PONG"',
    '{"server":"skein 1.2.3","',
    "422 INVALID (more)",
    "422 INVALID (constructor)",
    "1",
    '{"server":"skein 1.2.3","',
    '"PONG"',
  ]);
});

Deno.test("info counts by section", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "GET", key: "none" });
  const { result } = await client.ask({ action: "INFO", section: "clients" });
  assert.deepEqual(result, {
    clients: { connections: 1, accepted: 1, requests: 2, failures: 1, auth_failures: 0 },
  });
  const cluster = async () => (await client.ask({ action: "INFO", section: "cluster" }))["result"];
  assert.deepEqual(await cluster(), { cluster: { leader: "alpha", role: "leader" } });
  stage.state.leader = "beta";
  assert.deepEqual(await cluster(), { cluster: { leader: "beta", role: "follower" } });
  stage.state.leader = undefined;
  assert.deepEqual(await cluster(), { cluster: { leader: null, role: "unknown" } });
  const all = (await client.ask({ action: "INFO" }))["result"];
  assert.deepEqual(Object.keys(all as object), [
    "server",
    "cluster",
    "clients",
    "channels",
    "watches",
    "memory",
  ]);
  assert.equal(
    brief(await client.ask({ action: "INFO", section: "toString" })),
    "422 INVALID (section)",
  );
});

Deno.test("after QUIT the answers before it come, then BYE, then the end", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.hold();
  await client.send(
    '{"action":"INCR","key":"n"}\n{"action":"QUIT"}\n{"action":"INCR","key":"n"}\n',
  );
  await until(() => stage.state.waiting === 1);
  stage.state.release();
  assert.deepEqual((await client.rest()).map(brief), ["1 rev 1", '"BYE"']);
});

Deno.test("a client that sends no more gets what it asked for", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.hold();
  await client.send('{"action":"INCR","key":"n"}\n{"action":"PING"}\n');
  await client.lines.finish();
  await until(() => stage.state.waiting === 1);
  stage.state.release();
  assert.deepEqual((await client.rest()).map(brief), ["1 rev 1", '"PONG"']);
});

Deno.test("a silent client is told and disconnected, half a line or not; one with a request under way is not", async () => {
  await using stage = serve(HOST, { idleLimitMs: 200 });
  using silent = await stage.client();
  using half = await stage.client();
  using waiting = await stage.client();
  stage.state.hold();
  const start = performance.now();
  await half.send('{"action":');
  await waiting.send('{"action":"INCR","key":"n"}\n');
  const closing = [{ push: "closing", code: 408, reason: "IDLE_TIMEOUT" }];
  assert.deepEqual(await silent.rest(), closing);
  assert.deepEqual(await half.rest(), closing);
  assert.ok(performance.now() - start >= 200);
  await until(() => stage.port.size === 1);
  stage.state.release();
  assert.deepEqual((await waiting.replies(1)).map(brief), ["1 rev 1"]);
  assert.deepEqual(await waiting.rest(), closing);
});

Deno.test("who goes on asking is not idle, and nobody is without a limit", async () => {
  await using stage = serve(HOST, { idleLimitMs: 300 });
  await using patient = serve(HOST, { idleLimitMs: 0 });
  using silent = await patient.client();
  using busy = await stage.client();
  const end = performance.now() + 700;
  while (performance.now() < end) {
    assert.equal(brief(await busy.ask({ action: "PING" })), '"PONG"');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(brief(await silent.ask({ action: "PING" })), '"PONG"');
});

Deno.test("a line that takes too long ends the connection after the answers before it", async () => {
  await using stage = serve(HOST, { lineLimitMs: 200 });
  using client = await stage.client();
  stage.state.hold();
  await client.send('{"action":"INCR","key":"n"}\n{"action":');
  await until(() => stage.state.waiting === 1);
  const start = performance.now();
  await until(() => performance.now() - start > 400);
  assert.equal(stage.port.size, 1);
  stage.state.release();
  assert.deepEqual((await client.rest()).map(brief), ["1 rev 1", "408 LINE_TIMEOUT"]);
});

Deno.test("who finds no room is told, and makes way for nobody", async () => {
  await using stage = serve(HOST, { maxConnections: 2 });
  using one = await stage.client();
  using two = await stage.client();
  await until(() => stage.port.size === 2);
  using three = await stage.client();
  await three.send('{"action":"PING"}\n');
  assert.deepEqual((await three.rest()).map(brief), ["429 TOO_MANY_CONNECTIONS"]);
  for (const client of [one, two]) {
    assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"');
  }
  one[Symbol.dispose]();
  await until(() => stage.port.size === 1);
  using four = await stage.client();
  assert.equal(brief(await four.ask({ action: "PING" })), '"PONG"');
});

Deno.test("at the end requests under way are answered, clients are told, and the port is free", async () => {
  const stage = serve(HOST);
  using asking = await stage.client();
  using silent = await stage.client();
  await silent.ask({ action: "PING" });
  stage.state.hold();
  await asking.send('{"action":"INCR","key":"n"}\n');
  await until(() => stage.state.waiting === 1);
  const closed = stage.port.close();
  const closing = { push: "closing", code: 503, reason: "SHUTTING_DOWN" };
  assert.deepEqual((await silent.pushes(1))[0], closing);
  await assert.rejects(LineClient.connect(stage.port.address), Deno.errors.ConnectionRefused);
  stage.state.release();
  assert.deepEqual((await asking.rest()).map((reply) => reply["push"] ?? brief(reply)), [
    "1 rev 1",
    "closing",
  ]);
  assert.deepEqual(await silent.rest(), []);
  await closed;
  const { hostname, port } = stage.port.address;
  await using again = serve(HOST, { address: `${hostname}:${port}` });
  using client = await again.client();
  assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"');
});

Deno.test("at the end a request that is never answered is not waited for long", async () => {
  const stage = serve(HOST, { drainLimitMs: 100 });
  using client = await stage.client();
  stage.state.hold();
  await client.send('{"action":"INCR","key":"n"}\n');
  await until(() => stage.state.waiting === 1);
  await stage.port.close();
  assert.deepEqual(await client.rest(), []);
  stage.state.release();
});

Deno.test("an address that is taken is a clear error", async () => {
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  assert.throws(() => serve(HOST, { address: `${hostname}:${port}` }), (error) => {
    assert.ok(error instanceof KvListenError);
    assert.match(error.message, /bind: address already in use$/);
    return true;
  });
});
