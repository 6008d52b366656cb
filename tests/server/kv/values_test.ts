/**
 * Values, conditions and counters, as a client sees them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { NO_LEADER, OUTCOME_UNKNOWN, STORAGE_FULL } from "../../../server/replica/service.ts";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("what was set is got, whatever JSON it is", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const values = [
    "",
    "bar",
    '日本😀\n\u0000"\\',
    "x".repeat(512 * 1024 - 2),
    0,
    -1.5,
    1e-7,
    null,
    true,
    [],
    [1, [2]],
    {},
    { a: { b: null } },
    Number.MAX_SAFE_INTEGER,
  ];
  for (const value of values) {
    await client.ask({ action: "SET", key: "k", value });
    const { status, result } = await client.ask({ action: "GET", key: "k" });
    assert.equal(status, "ok");
    assert.deepEqual(result, value);
  }
});

Deno.test("a value that is too large, too deep or not exact is refused, and the old one stays", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "SET", key: "k", value: "old" });
  const ask = async (value: string) =>
    brief(await client.ask(`{"action":"SET","key":"k","value":${value}}`));
  assert.equal(await ask(`"${"x".repeat(512 * 1024 - 1)}"`), "413 VALUE_TOO_LARGE (value)");
  assert.equal(await ask("9007199254740993"), "422 INVALID (value)");
  assert.equal(await ask("1e999"), "422 INVALID (value)");
  assert.equal(await ask("[9007199254740993]"), "422 INVALID (value)");
  assert.equal(await ask("[".repeat(64) + "]".repeat(64)), "400 TOO_DEEP");
  assert.equal(brief(await client.ask({ action: "GET", key: "k" })), '"old" rev 1');
  assert.equal(await ask("[".repeat(63) + "]".repeat(63)), '"OK" rev 2');
});

Deno.test("the example of the first server works in one write, as text", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.send(
    '{"action":"SET","key":"foo","value":"bar"}\n{"action":"GET","key":"foo"}\n',
  );
  assert.deepEqual(await client.lines.lines(2), [
    '{"status":"ok","result":"OK","rev":1}',
    '{"status":"ok","result":"bar","rev":1}',
  ]);
});

Deno.test("deleting takes a value away, and says when there is none", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const replies = await client.all([
    { action: "SET", key: "k", value: 1 },
    { action: "DEL", key: "k" },
    { action: "DEL", key: "k" },
    { action: "DEL", key: "k", if_exists: true },
    { action: "GET", key: "k" },
    { action: "PING" },
  ]);
  assert.deepEqual(replies.map(brief), [
    '"OK" rev 1',
    "1 rev 2",
    "404 KEY_NOT_FOUND",
    "0 rev 2",
    "404 KEY_NOT_FOUND",
    '"PONG"',
  ]);
  assert.equal(replies[2]?.["error"], "key not found");
});

Deno.test("conditions hold or tell the revision that is there", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const set = (value: unknown, more: object) => ({ action: "SET", key: "k", value, ...more });
  const replies = await client.all([
    set(1, { xx: true }),
    set(1, { nx: true }),
    set(2, { nx: true }),
    set(2, { if_rev: 7 }),
    set(2, { if_rev: 1, get: true }),
    set(3, { xx: true, get: true }),
    { action: "DEL", key: "k", if_rev: 1 },
    { action: "DEL", key: "k", if_rev: 3 },
    set(4, { if_rev: 0, get: true }),
    set(5, { nx: true, xx: true }),
  ]);
  assert.deepEqual(replies.map(brief), [
    "409 CONDITION_FAILED rev 0",
    '"OK" rev 1',
    "409 CONDITION_FAILED rev 1",
    "409 CONDITION_FAILED rev 1",
    "1 rev 2",
    "2 rev 3",
    "409 CONDITION_FAILED rev 3",
    "1 rev 4",
    "null rev 5",
    "422 INVALID (nx)",
  ]);
});

Deno.test("counters count, and say when they cannot", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const replies = await client.all([
    { action: "INCR", key: "n" },
    { action: "incr", key: "n", by: 5 },
    { action: "DECR", key: "n", by: 10 },
    { action: "DECR", key: "n", by: 0 },
    { action: "INCR", key: "n", by: Number.MAX_SAFE_INTEGER },
    { action: "INCR", key: "n", by: 5 },
    { action: "SET", key: "t", value: "7" },
    { action: "INCR", key: "t" },
  ]);
  assert.deepEqual(replies.map(brief), [
    "1 rev 1",
    "6 rev 2",
    "-4 rev 3",
    "-4 rev 4",
    `${Number.MAX_SAFE_INTEGER - 4} rev 5`,
    "409 OVERFLOW",
    '"OK" rev 6',
    "409 NOT_INTEGER",
  ]);
});

Deno.test("stale answers say how old they may be, and others do not", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "SET", key: "k", value: 1 });
  const get = (more: object) => client.ask({ action: "GET", key: "k", ...more });
  const fresh = { status: "ok", result: 1, rev: 1 };
  assert.deepEqual(await get({}), fresh);
  assert.deepEqual(await get({ consistency: "linearizable" }), fresh);
  assert.deepEqual(await get({ consistency: "lease" }), fresh);
  assert.deepEqual(await get({ consistency: "stale" }), { ...fresh, lag_ms: 7 });
  const missing = await client.ask({ action: "GET", key: "none", consistency: "stale" });
  assert.deepEqual([missing["code"], missing["lag_ms"]], [404, 7]);
});

Deno.test("what the state cannot do is told with the leader, if there is one", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const set = { action: "SET", key: "k", value: 1 };
  stage.state.failure = NO_LEADER;
  stage.state.leader = undefined;
  assert.deepEqual(await client.ask(set), {
    status: "error",
    code: 503,
    error: "no leader",
    reason: "NO_LEADER",
  });
  stage.state.leader = "beta";
  stage.state.failure = OUTCOME_UNKNOWN;
  const { code, leader } = await client.ask(set);
  assert.deepEqual([code, leader], [504, "beta"]);
  stage.state.failure = STORAGE_FULL;
  assert.equal(brief(await client.ask(set)), "507 STORAGE_FULL");
  stage.state.failure = undefined;
  assert.equal(brief(await client.ask(set)), '"OK" rev 1');
});
