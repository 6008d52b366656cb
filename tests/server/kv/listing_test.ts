/**
 * KEYS and CHILDREN, as a client sees them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_LINE_BYTES } from "../../../protocol/kv/mod.ts";
import { NO_LEADER } from "../../../server/replica/service.ts";
import { alone } from "../../support/alone.ts";
import { brief, type KvPeer, type Reply, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();

function setAll(client: KvPeer, keys: readonly string[], value: unknown = 0): Promise<Reply[]> {
  return client.all(keys.map((key) => ({ action: "SET", key: `^${key}`, value })));
}

/** All pages of a listing. */
async function pages(client: KvPeer, request: object): Promise<Reply[]> {
  const found: Reply[] = [];
  let after: unknown;
  do {
    const reply = await client.ask({ ...request, ...after !== undefined && { after } });
    assert.equal(reply["status"], "ok", brief(reply));
    found.push(reply);
    after = reply["next"];
  } while (after !== undefined);
  return found;
}

const itemsOf = (replies: readonly Reply[]): unknown[] =>
  replies.flatMap(({ result }) => result as unknown[]);

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `n^${String(i).padStart(5, "0")}`);

Deno.test("keys are listed in order, below a prefix or a namespace, and the next page is told", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await setAll(client, ["app^a^bc", "app^a^b^c", "app^a^b", "app^a", "app", "ap^x", "global^g"]);
  const ask = async (request: object) => {
    await client.send(`${JSON.stringify({ action: "KEYS", ...request })}\n`);
    return (await client.lines.lines(1))[0];
  };
  const ok = (rest: string) => `{"status":"ok","result":${rest}}`;
  assert.equal(await ask({}), ok('["global^g"]'));
  assert.equal(
    await ask({ namespace: "app" }),
    ok('["app^a","app^a^b","app^a^b^c","app^a^bc"]'),
  );
  assert.equal(await ask({ prefix: "^app^a^b" }), ok('["app^a^b^c"]'));
  assert.equal(
    await ask({ prefix: "a", namespace: "app", depth: 1 }),
    ok('["app^a^b","app^a^bc"]'),
  );
  assert.equal(
    await ask({ prefix: "^", limit: 2, id: 7 }),
    '{"id":7,"status":"ok","result":["ap^x","app"],"next":"app"}',
  );
  assert.equal(await ask({ prefix: "^", after: "app^a^b^c" }), ok('["app^a^bc","global^g"]'));
  assert.equal(
    await ask({ prefix: "a", namespace: "app", values: true, limit: 1 }),
    '{"status":"ok","result":[{"key":"app^a^b","value":0,"rev":3}],"next":"app^a^b"}',
  );
  assert.equal(await ask({ namespace: "none" }), ok("[]"));
});

Deno.test("children are the names one level below, with or without a value of their own", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await setAll(client, ["app^a^x", "app^a^y", "app^b", "app^b c^z", "global^g"]);
  const ask = async (request: object) => await client.ask({ action: "CHILDREN", ...request });
  assert.equal(brief(await ask({})), '["g"]');
  assert.equal(brief(await ask({ namespace: "app" })), '["a","b","b c"]');
  assert.equal(brief(await ask({ key: "^app^a" })), '["x","y"]');
  assert.equal(brief(await ask({ key: [] })), '["app","global"]');
  const page = await ask({ key: "^app", limit: 1 });
  assert.deepEqual([page["result"], page["next"]], [["a"], "a"]);
  assert.equal(brief(await ask({ key: "^app", after: "a" })), '["b","b c"]');
  assert.equal(brief(await ask({ key: "^", after: "app" })), '["global"]');
});

Deno.test("what is wrong with a listing is told by its member", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const table: [object, string][] = [
    [{ prefix: "a^" }, "422 BAD_KEY (prefix)"],
    [{ prefix: 1 }, "422 INVALID (prefix)"],
    [{ prefix: "^$sys^x" }, "403 RESERVED (prefix)"],
    [{ namespace: "a^^b" }, "422 BAD_KEY (namespace)"],
    [{ namespace: "app", prefix: "^x" }, "422 AMBIGUOUS_NAMESPACE (namespace)"],
    [{ namespace: "app", prefix: "^" }, "422 AMBIGUOUS_NAMESPACE (namespace)"],
    [{ after: "elsewhere^a" }, "422 INVALID (after)"],
    [{ after: "global" }, "422 INVALID (after)"],
    [{ after: "global^" }, "422 INVALID (after)"],
    [{ after: null }, "422 INVALID (after)"],
    [{ limit: 0 }, "422 INVALID (limit)"],
    [{ limit: 10_001 }, "422 INVALID (limit)"],
    [{ limit: 1.5 }, "422 INVALID (limit)"],
    [{ limit: "5" }, "422 INVALID (limit)"],
    [{ depth: 0 }, "422 INVALID (depth)"],
    [{ depth: 17 }, "422 INVALID (depth)"],
    [{ values: 1 }, "422 INVALID (values)"],
    [{ consistency: "old" }, "422 INVALID (consistency)"],
    [{ action: "CHILDREN", key: "a^^b" }, "422 BAD_KEY (key)"],
    [{ action: "CHILDREN", key: {} }, "422 INVALID (key)"],
    [{ action: "CHILDREN", after: "a^b" }, "422 INVALID (after)"],
    [{ action: "CHILDREN", after: "" }, "422 INVALID (after)"],
    [{ action: "CHILDREN", after: ["a"] }, "422 INVALID (after)"],
  ];
  for (const [request, wanted] of table) {
    const reply = await client.ask({ action: "KEYS", ...request });
    assert.equal(brief(reply), wanted, JSON.stringify(request));
  }
});

Deno.test("10,000 keys under concurrent writers are listed in order, none twice, none that stays missing", async () => {
  await using stage = serve(HOST);
  const stable = numbered(20_000).filter((_, i) => i % 2 === 0);
  const passing = numbered(20_000).filter((_, i) => i % 2 === 1);
  using client = await stage.client();
  for (let i = 0; i < stable.length; i += 500) await setAll(client, stable.slice(i, i + 500));
  let over = false;
  let written = 0;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    using peer = await stage.client();
    for (let round = 0; !over; round++) {
      const replies = await peer.all(Array.from({ length: 50 }, (_, i) => {
        const key = `^${passing[(round * 7_919 + writer * 2_503 + i * 199) % passing.length]}`;
        return (round + i) % 3 === 0
          ? { action: "DEL", key, if_exists: true }
          : { action: "SET", key, value: round };
      }));
      written += replies.length;
    }
  });
  try {
    for (const request of [{ limit: 97 }, { limit: 1_000, values: true }, { limit: 10_000 }]) {
      const before = written;
      const replies = await pages(client, { action: "KEYS", namespace: "n", ...request });
      const keys = itemsOf(replies).map((item) =>
        typeof item === "string" ? item : (item as { key: string }).key
      );
      assert.deepEqual(keys, [...new Set(keys)].sort());
      const found = new Set(keys);
      assert.deepEqual(stable.filter((key) => !found.has(key)), []);
      assert.ok(keys.length > stable.length && written > before);
      assert.ok(
        replies.slice(0, -1).every(({ result }) => (result as unknown[]).length <= request.limit),
      );
    }
  } finally {
    over = true;
    await Promise.all(writers);
  }
});

Deno.test("a page of 10,000 keys is one answer, and others are answered while it is gathered", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const keys = numbered(10_000);
  for (let i = 0; i < keys.length; i += 500) await setAll(client, keys.slice(i, i + 500));
  using other = await stage.client();
  let page: Reply | undefined;
  const asked = client.ask({ action: "KEYS", namespace: "n", limit: 10_000 }).then((reply) => {
    page = reply;
  });
  let pings = 0;
  for (; page === undefined; pings++) await other.ask({ action: "PING" });
  await asked;
  assert.deepEqual([page["result"], page["next"]], [keys, undefined]);
  assert.ok(pings >= 5, `${pings} pings`);
});

Deno.test("pages of large values end early: a line is never longer than 1 MiB", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const value = "v".repeat(512 * 1024 - 2);
  const keys = numbered(12);
  for (const key of keys) await setAll(client, [key], value);
  const lines: string[] = [];
  for (let after: string | undefined = "n^"; after !== undefined;) {
    const request = { action: "KEYS", namespace: "n", values: true, id: "\u0001".repeat(64) };
    await client.send(`${JSON.stringify({ ...request, ...lines.length > 0 && { after } })}\n`);
    const line = (await client.lines.lines(1))[0] as string;
    lines.push(line);
    after = JSON.parse(line).next;
  }
  assert.equal(lines.length, 12);
  assert.ok(lines.every((line) => new TextEncoder().encode(line).length <= MAX_LINE_BYTES));
  assert.deepEqual(
    itemsOf(lines.map((line) => JSON.parse(line))),
    keys.map((key, i) => ({ key, value, rev: i + 1 })),
  );
  // Without values they are gathered into one.
  assert.equal(brief(await client.ask({ action: "KEYS", namespace: "n" })), JSON.stringify(keys));
});

Deno.test("a page out of several questions is no longer than one out of one", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const long = "x".repeat(230);
  const keys = numbered(2_000).map((key) => `${key}^${long}^${long}^${long}`);
  for (let i = 0; i < keys.length; i += 500) await setAll(client, keys.slice(i, i + 500));
  const replies = await pages(client, { action: "KEYS", namespace: "n", limit: 10_000 });
  assert.deepEqual(itemsOf(replies), keys);
  assert.ok(replies.every((reply) => JSON.stringify(reply).length <= MAX_LINE_BYTES));
  // More than one question has to do with the first.
  assert.ok((replies[0]?.["result"] as unknown[]).length > 1_024);
});

test("listings that nobody reads stay few in memory, and none is lost", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await setAll(client, numbered(50), "v".repeat(19_000));
  const count = 300;
  const before = Deno.memoryUsage().rss;
  await client.send('{"action":"KEYS","namespace":"n","values":true}\n'.repeat(count));
  using other = await stage.client();
  for (let i = 0; i < 200; i++) await other.ask({ action: "PING" });
  const growth = (Deno.memoryUsage().rss - before) / 1024 / 1024;
  assert.ok(growth < 64, `Memory grew by ${growth} MiB for ${count} answers of 1 MB`);
  const replies = await client.replies(count);
  assert.ok(replies.every(({ result }) => (result as unknown[]).length === 50));
});

Deno.test("a listing shows what was asked for before it on its connection, and nothing after it", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  stage.state.hold();
  const set = (key: string) => ({ action: "SET", key, value: 0 });
  const all = client.all([set("a"), { action: "KEYS" }, set("b"), { action: "KEYS" }]);
  await until(() => stage.state.waiting === 1);
  stage.state.release();
  assert.deepEqual((await all).map(brief), [
    '"OK" rev 1',
    '["global^a"]',
    '"OK" rev 2',
    '["global^a","global^b"]',
  ]);
});

Deno.test("of the listings of all connections two go on at a time, in the order of their coming", async () => {
  await using stage = serve(HOST, { requestLimitMs: 60_000 });
  const clients = await Promise.all(Array.from({ length: 8 }, () => stage.client()));
  stage.state.hold();
  const all = clients.map((client) => client.ask({ action: "KEYS" }));
  await until(() => stage.state.waiting === 2);
  using other = await stage.client();
  for (let i = 0; i < 20; i++) await other.ask({ action: "PING" });
  assert.equal(stage.state.waiting, 2);
  stage.state.release();
  assert.deepEqual((await Promise.all(all)).map(brief), Array(8).fill("[]"));
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("a listing that does not get its turn in time was not done", async () => {
  const limitMs = 50;
  await using stage = serve(HOST, { requestLimitMs: limitMs });
  const clients = await Promise.all(Array.from({ length: 3 }, () => stage.client()));
  stage.state.hold();
  const first = clients.slice(0, 2).map((client) => client.ask({ action: "KEYS" }));
  await until(() => stage.state.waiting === 2);
  const late = clients[2]?.ask({ action: "KEYS" });
  using other = await stage.client();
  for (let i = 0; i < 20; i++) await other.ask({ action: "PING" });
  const start = performance.now();
  await until(() => performance.now() - start > limitMs);
  stage.state.release();
  assert.deepEqual((await Promise.all(first)).map(brief), ["[]", "[]"]);
  assert.equal(brief(await late as Reply), "503 OVERLOADED");
  assert.equal(brief(await clients[0]?.ask({ action: "KEYS" }) as Reply), "[]");
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("a stale listing says how old it may be, and a failure is one answer", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await setAll(client, numbered(3));
  const request = { action: "KEYS", namespace: "n", limit: 2, consistency: "stale" };
  const { lag_ms, next } = await client.ask(request);
  assert.deepEqual([lag_ms, next], [7, "n^00001"]);
  stage.state.failure = NO_LEADER;
  assert.equal(brief(await client.ask({ action: "KEYS" })), "503 NO_LEADER");
  stage.state.failure = undefined;
  stage.state.fault = new Error("Fault");
  const fault = await client.ask({ action: "CHILDREN" });
  assert.equal(brief(fault), "500 INTERNAL");
  assert.equal(typeof fault["incident"], "string");
  stage.state.fault = undefined;
  assert.equal(brief(await client.ask({ action: "KEYS" })), "[]");
});
