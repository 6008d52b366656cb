/**
 * Lives that end, many keys at a time and transactions: the client over a port, and the agent's own store, say the same.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ConditionFailedError, KvClient, type KvTransaction } from "../../../client/mod.ts";
import { AgentKv } from "../../../server/kv/local/local.ts";
import { serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** What both have. */
type Store =
  & Pick<KvClient, "set" | "get" | "increment" | "ttl" | "expire" | "persist">
  & Pick<KvClient, "getMany" | "setMany" | "transaction" | "delete">;

/** Registers a test of the client, and of the agent's own store. */
function bothTest(name: string, body: (kv: Store) => Promise<void>): void {
  Deno.test(`KvClient: ${name}`, async () => {
    await using stage = serve(HOST);
    const { hostname, port } = stage.port.address;
    await using client = await KvClient.connect({ address: `${hostname}:${port}` });
    await body(client);
  });
  Deno.test(`AgentKv: ${name}`, async () => {
    await using stage = serve(HOST);
    await body(new AgentKv(stage.state, stage.pubsub));
  });
}

bothTest(
  "a value has the time that it was given, until it is set anew or is to stay",
  async (kv) => {
    assert.deepEqual(await kv.set("k", "v", { ttlMs: 60_000 }), { rev: 1 });
    assert.deepEqual(await kv.get("k"), { value: "v", rev: 1, ttlMs: 60_000 });
    assert.equal(await kv.ttl("k"), 60_000);
    // Each change is a millisecond later in the state in memory.
    await kv.set("k", "w", { keepTtl: true });
    assert.deepEqual(await kv.get("k"), { value: "w", rev: 2, ttlMs: 59_999 });
    assert.equal(await kv.expire("k", 5_000), true);
    assert.deepEqual(await kv.get("k"), { value: "w", rev: 2, ttlMs: 5_000 });
    assert.equal(await kv.persist("k"), true);
    assert.equal(await kv.persist("k"), false);
    assert.equal(await kv.ttl("k"), Infinity);
    await kv.expire("k", 5_000);
    await kv.set("k", "x");
    assert.equal(await kv.ttl("k", { consistency: "stale" }), Infinity);
    assert.equal(await kv.increment("n", 1, { ttlMs: 1_000 }), 1);
    assert.equal(await kv.increment("n", 1), 2);
    assert.equal(await kv.ttl("n"), 999);
  },
);

bothTest("what has no value has no time", async (kv) => {
  assert.equal(await kv.ttl("none"), undefined);
  assert.equal(await kv.expire("none", 1_000), false);
  assert.equal(await kv.persist("none"), false);
  await assert.rejects(kv.ttl("a^^b"), { name: "KvError", reason: "BAD_KEY" });
  await assert.rejects(kv.expire("a^^b", 1), { name: "KvError", reason: "BAD_KEY" });
});

bothTest("a time that is none is refused, and nothing is done", async (kv) => {
  for (const ttlMs of [0, -1, 0.5, NaN, 315_360_000_001]) {
    const refusal = { name: "KvError", code: 422 };
    await assert.rejects(kv.set("k", 1, { ttlMs }), refusal);
    await assert.rejects(kv.increment("k", 1, { ttlMs }), refusal);
    await assert.rejects(kv.setMany([{ key: "k", value: 1, ttlMs }]), refusal);
    await assert.rejects(kv.expire("k", ttlMs), refusal);
  }
  await assert.rejects(kv.set("k", 1, { ttlMs: 1, keepTtl: true }), { name: "KvError", code: 422 });
  assert.equal(await kv.get("k"), undefined);
});

bothTest("many values are set and got together", async (kv) => {
  const items = [
    { key: "a", value: 1 },
    { key: ["app", "b"], value: { x: null }, ttlMs: 1_000 },
    { key: "c", value: null },
  ];
  assert.deepEqual(await kv.setMany(items), { rev: 1 });
  assert.deepEqual(await kv.getMany(["c", "a", "none", "app^b"]), [null, 1, null, { x: null }]);
  assert.equal((await kv.get("app^b"))?.ttlMs, 1_000);
  assert.deepEqual(await kv.getMany(["b"], { namespace: "app" }), [{ x: null }]);
  await assert.rejects(kv.setMany([{ key: "a", value: 2 }, { key: "a^^b", value: 2 }]), {
    code: 422,
    field: "items",
  });
  assert.equal((await kv.get("a"))?.value, 1);
  await assert.rejects(kv.getMany([]), { code: 422, field: "keys" });
  const many = Array.from({ length: 1_001 }, (_, i) => `k${i}`);
  await assert.rejects(kv.getMany(many), { code: 422, field: "keys" });
  assert.equal((await kv.getMany(many.slice(1))).length, 1_000);
});

bothTest("a transaction does what its conditions say", async (kv) => {
  await kv.setMany([{ key: "from", value: 10 }, { key: "to", value: 1 }]);
  const move: KvTransaction = {
    if: [{ key: "from", value: 10 }, { key: "to", exists: true }, { key: "fee", rev: 0 }],
    then: [
      { action: "increment", key: "from", by: -4 },
      { action: "increment", key: "to", by: 4 },
      { action: "set", key: "fee", value: 1, ttlMs: 500, nx: true },
      { action: "delete", key: "none" },
    ],
    else: [{ action: "get", key: "from" }, { action: "ttl", key: "fee" }],
  };
  assert.deepEqual(await kv.transaction(move), {
    succeeded: true,
    results: [6, 5, "OK", null],
    rev: 2,
  });
  assert.deepEqual(await kv.transaction(move), { succeeded: false, results: [6, 499], rev: 2 });
  const failing = kv.transaction({
    then: [
      { action: "persist", key: "fee" },
      { action: "expire", key: "to", ttlMs: 5 },
      { action: "set", key: "fee", value: 2, ifRev: 7 },
    ],
  });
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof ConditionFailedError);
    assert.deepEqual([error.field, error.rev], ["then", 2]);
    return true;
  });
  assert.equal(await kv.ttl("to"), Infinity);
  await assert.rejects(kv.transaction({ if: [{ key: "k" }] }), { code: 422, field: "if" });
});

Deno.test("KvClient: mistakes of programs whose compiler does not find them are one line", async () => {
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await KvClient.connect({ address: `${hostname}:${port}` });
  // deno-lint-ignore no-explicit-any
  const untyped: any = client;
  const calls: [call: () => Promise<unknown>, message: string][] = [
    [() => untyped.getMany("k"), "Invalid keys: expected an array"],
    [
      () => untyped.getMany([5]),
      "Invalid key: expected a string or an array of strings, got number 5",
    ],
    [() => untyped.setMany({}), "Invalid items: expected an array"],
    [
      () => untyped.setMany([{ key: "k" }]),
      "Invalid value: expected one that JSON has, got undefined",
    ],
    [
      () => untyped.expire("k", "1s"),
      'Invalid time to live: expected a number of milliseconds, got string "1s"',
    ],
    [() => untyped.transaction({ then: {} }), "Invalid 'then' of a transaction: expected an array"],
    [
      () => client.transaction({ then: [{ action: "set", key: "k", value: NaN }] }),
      "Invalid value: expected one that JSON has, got NaN",
    ],
  ];
  for (const [call, message] of calls) await assert.rejects(call, { name: "TypeError", message });
  assert.equal(stage.state.waiting, 0);
});
