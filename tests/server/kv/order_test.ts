/**
 * Requests that are sent in one go.
 *
 * @module
 */

import assert from "node:assert/strict";
import { alone } from "../../support/alone.ts";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();

Deno.test("a thousand requests in one write are answered in order", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const requests = Array.from({ length: 1_000 }, (_, id) =>
    [
      { id, action: "INCR", key: "n" },
      { id, action: "PING", value: id },
      { id, action: "GET", key: "n" },
      { id, action: "FLY" },
    ][id % 4] as object);
  const replies = await client.all(requests);
  assert.deepEqual(replies.map(({ id }) => id), requests.map((_, id) => id));
  for (let i = 0; i < 1_000; i += 4) {
    const count = i / 4 + 1;
    assert.deepEqual(replies.slice(i, i + 4).map(brief), [
      `${count} rev ${count}`,
      String(i + 1),
      `${count} rev ${count}`,
      "405 UNKNOWN_ACTION",
    ]);
  }
});

Deno.test("an answer that is ready waits for those before it", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.hold();
  await client.send('{"action":"INCR","key":"n"}\n{"action":"PING"}\n');
  using other = await stage.client();
  assert.equal(brief(await other.ask({ action: "PING" })), '"PONG"');
  await until(() => stage.state.waiting === 1);
  stage.state.release();
  assert.deepEqual((await client.replies(2)).map(brief), ["1 rev 1", '"PONG"']);
});

Deno.test("a question waits for a change of its key before it, not for that of another key", async () => {
  await using stage = serve(HOST);
  const asked = async (...requests: object[]): Promise<number> => {
    using client = await stage.client();
    stage.state.hold();
    await client.send(requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
    await until(() => stage.state.waiting > 0);
    // Had the others been handed over, they would have been in the same turn.
    const { waiting } = stage.state;
    stage.state.release();
    const replies = await client.replies(requests.length);
    assert.ok(replies.every(({ status }) => status === "ok"));
    return waiting;
  };
  const set = { action: "SET", key: "k", value: 1 };
  const get = { action: "GET", key: "k" };
  await asked(set, { ...set, key: "other" });
  assert.equal(await asked(set, get), 1);
  assert.equal(await asked(set, { ...get, key: "other" }), 2);
  assert.equal(await asked(set, { ...get, key: "^global^k" }), 1);
  assert.equal(await asked(get, set), 1);
  assert.equal(await asked(get, get, get), 3);
  assert.equal(await asked(set, { ...set, value: 2 }, { ...set, key: "third" }), 3);
  assert.equal(await asked(set, { action: "EXISTS", key: "^above" }), 1);
  const tree = { action: "DEL", key: "^nothing", tree: true, if_exists: true };
  assert.equal(await asked(tree, get), 1);
  assert.equal(await asked(get, tree), 1);
  // Of requests about several keys each one counts, ...
  const many = (...keys: string[]) => ({ action: "MGET", keys });
  const setMany = (...keys: string[]) => ({
    action: "MSET",
    items: keys.map((key) => ({ key, value: 1 })),
  });
  assert.equal(await asked(set, many("a", "k")), 1);
  assert.equal(await asked(set, many("a", "b")), 2);
  assert.equal(await asked(setMany("a", "k"), get), 1);
  assert.equal(await asked(setMany("a", "b"), get), 2);
  assert.equal(await asked(many("a", "k"), setMany("k", "c")), 1);
  assert.equal(await asked(many("a", "b"), setMany("k", "c"), many("a", "d")), 3);
  const transaction = {
    action: "TXN",
    if: [{ key: "condition", exists: true }],
    then: [{ action: "SET", key: "then", value: 1 }],
    else: [{ action: "GET", key: "otherwise" }],
  };
  for (const key of ["condition", "then", "otherwise"]) {
    await asked({ ...set, key });
    assert.equal(await asked(transaction, { ...get, key }), 1);
    assert.equal(await asked({ ...get, key }, transaction), 1);
  }
  assert.equal(await asked(transaction, get, set), 2);
  // ... and of very many it is as if they were about everything.
  const crowd = Array.from({ length: 17 }, (_, i) => `of a crowd ${i}`);
  assert.equal(await asked(setMany(...crowd), get), 1);
  assert.equal(await asked(setMany(...crowd.slice(1)), get), 2);
});

Deno.test("no more is read while a thousand requests are under way", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.hold();
  const requests = Array.from({ length: 3_000 }, () => ({ action: "INCR", key: "n" }));
  const all = client.all(requests);
  await until(() => stage.state.waiting === 1_000);
  using other = await stage.client();
  for (let i = 0; i < 20; i++) await other.ask({ action: "PING" });
  assert.equal(stage.state.waiting, 1_000);
  stage.state.release();
  assert.deepEqual((await all).map(({ result }) => result), requests.map((_, i) => i + 1));
});

Deno.test("no more is read while requests of four megabytes are under way", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.hold();
  const value = "x".repeat(500_000);
  const all = client.all(Array.from({ length: 30 }, () => ({ action: "SET", key: "k", value })));
  await until(() => stage.state.waiting === 9);
  using other = await stage.client();
  for (let i = 0; i < 50; i++) await other.ask({ action: "PING" });
  assert.equal(stage.state.waiting, 9);
  stage.state.release();
  assert.equal((await all).length, 30);
});

test("large answers to a client that does not read stay few, and none is lost", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const value = "x".repeat(500_000);
  await client.ask({ action: "SET", key: "k", value });
  const count = 200;
  const before = Deno.memoryUsage().rss;
  await client.send('{"action":"GET","key":"k"}\n'.repeat(count));
  using other = await stage.client();
  for (let i = 0; i < 50; i++) await other.ask({ action: "PING" });
  const growth = (Deno.memoryUsage().rss - before) / 1024 / 1024;
  assert.ok(growth < 60, `Memory grew by ${growth} MiB for 100 MiB of answers`);
  const replies = await client.replies(count);
  assert.ok(replies.every(({ result }) => result === value));
});
