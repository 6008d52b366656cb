/**
 * What the server tells clients with sessions by itself: watches.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RevisionGoneError, SessionClient } from "../../../client/mod.ts";
import { textOf } from "../../support/sessions/raw_client.ts";
import { oneServer } from "../../support/sessions/server.ts";

Deno.test("server requests come in order from 1, again when the session goes on, and stop when they are acknowledged", async () => {
  await using server = await oneServer();
  const [watcher, writer] = [await server.open(), await server.open()];
  const id = await watcher.create();
  await writer.create();
  assert.match(await watcher.command(1, { action: "WATCH", key: "n" }), /"result":\{"watch":1,/);
  for (let i = 1; i <= 10; i++) await writer.command(i, { action: "SET", key: "n", value: i });
  const all = Array.from({ length: 10 }, (_, i) => i + 1);
  assert.deepEqual(await watcher.requestIds(10), all);
  const second = await server.open();
  assert.equal(await second.goOn(id), "continued");
  for (const i of all) {
    const { requestId, payload } = await second.next("serverRequest");
    assert.equal(requestId, i);
    assert.equal(JSON.parse(textOf(payload)).value, i);
  }
  await second.send({ kind: "serverRequestAck", requestId: 7 });
  const third = await server.open();
  await second.send({ kind: "keepAlive", time: 1 });
  await second.next("keepAliveResponse");
  assert.equal(await third.goOn(id), "continued");
  assert.deepEqual(await third.requestIds(3), [8, 9, 10]);
  await third.send({ kind: "serverRequestAck", requestId: 10 }, { kind: "connectionClosed" });
  await third.ended();
  const fourth = await server.open();
  assert.equal(await fourth.goOn(id), "continued");
  await fourth.send({ kind: "keepAlive", time: 1 });
  await fourth.next("keepAliveResponse");
});

Deno.test("a server request that is not acknowledged comes again on the same connection", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  await client.command(1, { action: "WATCH", key: "n", initial: true });
  const { payload } = await client.next("serverRequest");
  const since = performance.now();
  await client.send({ kind: "keepAlive", time: 1 });
  await client.next("keepAliveResponse");
  const again = await client.next("serverRequest");
  const waited = performance.now() - since;
  assert.ok(waited > 9_000 && waited < 15_000, `${waited}`);
  assert.deepEqual([again.requestId, textOf(again.payload)], [1, textOf(payload)]);
});

Deno.test("a watch tells the value first that is there, then every change; the same one again is no other", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.create();
  await client.command(1, { action: "SET", key: "n", value: "old" });
  const watch = { action: "WATCH", key: "n", initial: true };
  const first = await client.command(2, watch);
  const pushes = async (count: number): Promise<string[]> => {
    const texts: string[] = [];
    while (texts.length < count) texts.push(textOf((await client.next("serverRequest")).payload));
    return texts;
  };
  assert.deepEqual(await pushes(2), [
    '{"push":"change","watch":1,"key":"global^n","kind":"set","initial":true,"value":"old","rev":1}',
    '{"push":"synced","watch":1,"rev":1}',
  ]);
  assert.equal(JSON.parse(await client.command(3, watch)).result.watch, 1);
  assert.equal(JSON.parse(first).result.watch, 1);
  await client.request(4, { action: "SET", key: "n", value: "new" });
  await client.result(4);
  assert.match((await pushes(1))[0] ?? "", /"watch":1,.*"value":"new"/);
  await client.request(5, { action: "UNWATCH", watch: 1 });
  assert.match(await client.result(5), /"ok"/);
  assert.match(await client.command(6, { action: "SET", key: "n", value: "newer" }), /"ok"/);
  assert.match(await client.command(7, { action: "UNWATCH", watch: 1 }), /"code":404/);
  assert.equal(client.waiting, 0);
});

Deno.test("who missed more than a server keeps is told so without a gap, and then what follows", async () => {
  await using server = await oneServer();
  const writer = await server.open();
  await writer.create();
  const watchers = await Promise.all(["stays", "comes again"].map(async (name) => {
    const client = await server.open();
    const id = await client.create();
    await client.command(1, { action: "WATCH", key: "^t", tree: true });
    return { name, client, id, last: 0, texts: [] as string[] };
  }));
  // More than the 10,000 that a session may have waiting, none of which is acknowledged.
  for (let id = 1; id <= 11; id++) {
    const items = Array.from({ length: 1_000 }, (_, i) => ({ key: `^t^${i}`, value: id }));
    assert.match(await writer.command(id, { action: "MSET", items }), /"ok"/);
  }
  await writer.command(12, { action: "SET", key: "^t^last", value: 12 });
  for (const watcher of watchers) {
    // A client that takes each once and in order, as the description of the wire has it.
    const listen = async (until: (text: string) => boolean): Promise<void> => {
      for (let text = ""; !until(text);) {
        const { requestId, payload } = await watcher.client.next("serverRequest");
        if (requestId > watcher.last + 1) continue;
        if (requestId === watcher.last + 1) {
          watcher.last = requestId;
          watcher.texts.push(text = textOf(payload));
        }
        if (watcher.last < 100) continue;
        await watcher.client.send({ kind: "serverRequestAck", requestId: watcher.last });
      }
    };
    if (watcher.name === "comes again") {
      while (watcher.last < 50) {
        watcher.last = (await watcher.client.next("serverRequest")).requestId;
      }
      watcher.client = await server.open();
      assert.equal(await watcher.client.goOn(watcher.id), "continued");
    }
    await listen((text) => text.includes('"key":"t^last"'));
    const missed = watcher.texts.filter((text) => text === '{"push":"missed"}').length;
    const told = watcher.texts.length - missed;
    assert.ok(missed > 9_000 && told <= 102, `${watcher.name}: ${missed} ${told}`);
    assert.equal(watcher.texts.at(-2), '{"push":"overflow"}');
  }
});

Deno.test("the project's client that missed more than a server keeps says so, and goes on", async () => {
  await using server = await oneServer();
  const address = server.agent.state?.addresses.sessionAddr ?? "";
  await using session = new SessionClient({ address });
  await session.connect();
  await using writer = new SessionClient({ address });
  await writer.connect();
  const watch = await session.kv.watch("^t", { tree: true });
  for (let i = 0; i < 13; i++) {
    const items = Array.from({ length: 1_000 }, (_, j) => ({ key: `^t^${j}`, value: i }));
    await writer.kv.setMany(items);
  }
  const revs = new Set<number>();
  await assert.rejects(async () => {
    for await (const { rev } of watch) revs.add(rev);
  }, RevisionGoneError);
  assert.deepEqual([...revs], Array.from(revs, (_, i) => i + 1), "no revision is missing before");
  await using again = await session.kv.watch("^t", { tree: true });
  const { rev } = await writer.kv.set("^t^0", "new");
  const { value } = await again[Symbol.asyncIterator]().next();
  assert.equal(value.rev, rev);
});

Deno.test("a session that ends takes its watches with it", async () => {
  await using server = await oneServer();
  const [watcher, writer] = [await server.open(), await server.open()];
  await watcher.create();
  await writer.create();
  await watcher.command(1, { action: "WATCH", key: "^", tree: true });
  await watcher.send({ kind: "closeSession", reason: 1 });
  await watcher.ended();
  assert.match(await writer.command(1, { action: "SET", key: "n", value: 1 }), /"ok"/);
});
