/**
 * Times to live, many keys at a time and transactions, as a client sees them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("a value tells how long it has left, and one that stays does not", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.send([
    '{"action":"SET","key":"k","value":1,"ttl":1.5}',
    '{"action":"GET","key":"k"}',
    '{"action":"GET","key":"k","consistency":"stale"}',
    '{"action":"TTL","key":"k"}',
    '{"action":"PERSIST","key":"k"}',
    '{"action":"GET","key":"k"}',
    '{"action":"TTL","key":"k"}',
    "",
  ].join("\n"));
  assert.deepEqual(await client.lines.lines(7), [
    '{"status":"ok","result":"OK","rev":1}',
    '{"status":"ok","result":1,"rev":1,"ttl_ms":1500}',
    '{"status":"ok","result":1,"rev":1,"ttl_ms":1500,"lag_ms":7}',
    '{"status":"ok","result":1500}',
    '{"status":"ok","result":true}',
    '{"status":"ok","result":1,"rev":1}',
    '{"status":"ok","result":-1}',
  ]);
});

Deno.test("seconds may have a fraction, down to a millisecond, up to ten years", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const left = async (life: object) => {
    const [set, ttl] = await client.all([
      { action: "SET", key: "k", value: 1, ...life },
      { action: "TTL", key: "k" },
    ]);
    return set?.["status"] === "ok" ? ttl?.["result"] : brief(set ?? {});
  };
  assert.equal(await left({ ttl: 0.001 }), 1);
  assert.equal(await left({ ttl: 0.29 }), 290);
  assert.equal(await left({ ttl: 1.0004 }), 1_000);
  assert.equal(await left({ ttl: 315_360_000 }), 315_360_000_000);
  assert.equal(await left({ ttl_ms: 315_360_000_000 }), 315_360_000_000);
  assert.equal(await left({ keep_ttl: true }), 315_359_999_999);
  assert.equal(await left({}), -1);
  for (const ttl of [0, -1, 0.0004, 315_360_000.001, "1", null, true]) {
    assert.equal(await left({ ttl }), "422 INVALID (ttl)", String(ttl));
  }
  for (const ttl_ms of [0, -1, 1.5, 315_360_000_001, "1"]) {
    assert.equal(await left({ ttl_ms }), "422 INVALID (ttl_ms)", String(ttl_ms));
  }
  assert.equal(await left({ ttl: 1, ttl_ms: 1_000 }), "422 INVALID (ttl)");
  assert.equal(await left({ ttl: 1, keep_ttl: true }), "422 INVALID (keep_ttl)");
});

Deno.test("what is wrong with many keys or a transaction is told by the member it is in, and nothing is done", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "SET", key: "text", value: "x" });
  const set = (more: object) => ({ action: "SET", key: "k", value: 1, ...more });
  const failures: [object, string][] = [
    [{ action: "MGET", keys: ["k", "a^^b"] }, "422 BAD_KEY (keys)"],
    [{ action: "MGET", keys: ["k", "$sys^a"] }, "403 RESERVED (keys)"],
    [{ action: "MGET", keys: ["k"], namespace: "a^^" }, "422 BAD_KEY (namespace)"],
    [{ action: "MSET", items: [set({}), { key: "^", value: 1 }] }, "422 BAD_KEY (items)"],
    [{ action: "MSET", items: [set({}), { key: "a", value: 2 ** 60 }] }, "422 INVALID (items)"],
    [{ action: "TXN", if: [{ key: "a^^b", rev: 1 }], then: [set({})] }, "422 BAD_KEY (if)"],
    [{ action: "TXN", then: [set({}), set({ key: "a^^b" })] }, "422 BAD_KEY (then)"],
    [{ action: "TXN", then: [set({})], else: [set({ value: 2 ** 60 })] }, "422 INVALID (else)"],
    [{ action: "TXN", then: [set({}), { action: "INCR", key: "text" }] }, "409 NOT_INTEGER (then)"],
    [{ action: "TXN", then: [set({}), set({ nx: true })] }, "409 CONDITION_FAILED (then)"],
    [{ action: "TXN", then: [set({}), { action: "KEYS", key: "k" }] }, "422 INVALID (then)"],
    [{ action: "TXN", then: [set({})], rid: 1 }, "422 INVALID (rid)"],
  ];
  for (const [request, answer] of failures) {
    assert.equal(brief(await client.ask(request)), answer, JSON.stringify(request));
  }
  assert.equal(brief(await client.ask({ action: "GET", key: "k" })), "404 KEY_NOT_FOUND");
});

Deno.test("keys of a transaction are in the namespace of the request, unless they name one", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const { result } = await client.ask({
    action: "TXN",
    namespace: "app",
    if: [{ key: "a", exists: false }, { key: "b", namespace: "other", exists: false }],
    then: [
      { action: "SET", key: "a", value: 1 },
      { action: "SET", key: "b", namespace: "other", value: 2 },
      { action: "SET", key: ["c"], value: 3 },
    ],
  });
  assert.deepEqual(result, { succeeded: true, results: ["OK", "OK", "OK"] });
  const keys = await client.ask({ action: "KEYS", prefix: "^" });
  assert.deepEqual(keys["result"], ["app^a", "app^c", "other^b"]);
});

Deno.test("a client that wants to be told of members that are unknown is told of those in parts, too", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const set = { action: "SET", key: "k", value: 1 };
  const odd: [object, string][] = [
    [{ action: "MSET", items: [{ key: "k", value: 1, tll: 5 }] }, "items"],
    [{ action: "TXN", if: [{ key: "k", exists: false, revision: 1 }], then: [set] }, "if"],
    [{ action: "TXN", then: [set, { ...set, tll: 5 }] }, "then"],
    [{ action: "TXN", then: [set], else: [{ action: "get", key: "k", ttl: 5 }] }, "else"],
  ];
  for (const [request] of odd) {
    assert.equal((await client.ask(request))["status"], "ok", JSON.stringify(request));
  }
  await client.ask({ action: "HELLO", strict: true });
  for (const [request, member] of odd) {
    assert.equal(brief(await client.ask(request)), `422 INVALID (${member})`);
  }
  const right = { action: "TXN", if: [{ key: "k", exists: true }], then: [{ ...set, ttl: 5 }] };
  assert.equal((await client.ask(right))["status"], "ok");
});
