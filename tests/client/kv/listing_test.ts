/**
 * What is below a key, listed by a client and within the agent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvClient, KvError, type KvKey } from "../../../client/mod.ts";
import {
  AgentKv,
  type KvChildrenOptions,
  type KvKeysOptions,
} from "../../../server/kv/local/local.ts";
import { NO_LEADER } from "../../../server/replica/service.ts";
import { lonelyChannels, serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** Runs a test with a client of a port, and with the store of the agent itself, which can do the same. */
function both(
  sentence: string,
  test: (kv: KvClient | AgentKv, stage: Stage) => Promise<void>,
): void {
  Deno.test(`${sentence}, by a client`, async () => {
    await using stage = serve(HOST);
    const { hostname, port } = stage.port.address;
    await using client = await KvClient.connect({ address: `${hostname}:${port}` });
    await test(client, stage);
  });
  Deno.test(`${sentence}, within the agent`, async () => {
    await using stage = serve(HOST);
    await test(new AgentKv(stage.state, stage.pubsub), stage);
  });
}

const KEYS = ["app^a", "app^a^b", "app^a^b^c", "app^a^bc", "app^ab^x"];

async function fill({ state }: Stage): Promise<void> {
  const kv = new AgentKv(state, lonelyChannels());
  for (const key of KEYS) await kv.set(`^${key}`, { is: key });
  await kv.set("g", null);
}

both("keys, entries and children are listed", async (kv, stage) => {
  await fill(stage);
  const keys = (key?: KvKey, options?: KvKeysOptions) => Array.fromAsync(kv.keys(key, options));
  assert.deepEqual(await keys(), ["global^g"]);
  assert.deepEqual(await keys("^app"), KEYS);
  assert.deepEqual(await keys("^"), [...KEYS, "global^g"]);
  assert.deepEqual(await keys(["app", "a"]), KEYS.slice(1, 4));
  assert.deepEqual(await keys("a^b", { namespace: "app" }), ["app^a^b^c"]);
  assert.deepEqual(await keys(undefined, { namespace: "app", depth: 1 }), ["app^a"]);
  assert.deepEqual(await keys("^app", { after: "app^a^b", consistency: "stale" }), KEYS.slice(2));
  assert.deepEqual(await Array.fromAsync(kv.entries("^app", { depth: 1 })), [
    { key: "app^a", value: { is: "app^a" }, rev: 1 },
  ]);
  const children = (key: KvKey, options?: KvChildrenOptions) =>
    Array.fromAsync(kv.children(key, options));
  assert.deepEqual(await children("^"), ["app", "global"]);
  assert.deepEqual(await children("^app"), ["a", "ab"]);
  assert.deepEqual(await children("^app", { after: "a" }), ["ab"]);
});

both("pages follow each other, and are asked for as they are taken", async (kv, stage) => {
  await fill(stage);
  let questions = 0;
  const { query } = stage.state;
  stage.state.query = (...args) => {
    questions++;
    query.apply(stage.state, args);
  };
  assert.deepEqual(await Array.fromAsync(kv.keys("^app", { pageSize: 2 })), KEYS);
  assert.equal(questions, 3);
  assert.deepEqual(await Array.fromAsync(kv.children("^", { pageSize: 1 })), ["app", "global"]);
  questions = 0;
  for await (const { key } of kv.entries("^app", { pageSize: 2 })) {
    if (key === KEYS[1]) break;
  }
  assert.equal(questions, 1);
});

both("a listing that fails is an error where it is gone through", async (kv, stage) => {
  const refused = (field: string) => (error: unknown) =>
    error instanceof KvError && error.code === 422 && error.field === field;
  const all = (listing: AsyncIterable<unknown>) => Array.fromAsync(listing);
  await assert.rejects(all(kv.keys("^app", { after: "other^a" })), refused("after"));
  await assert.rejects(all(kv.keys("^app", { depth: 17 })), refused("depth"));
  await assert.rejects(all(kv.children("a^")), refused("key"));
  stage.state.failure = NO_LEADER;
  await assert.rejects(all(kv.keys("^app")), { name: "NoLeaderError" });
});

Deno.test("programs whose compiler does not check are told what is wrong", async () => {
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await KvClient.connect({ address: `${hostname}:${port}` });
  assert.throws(() => client.keys(7 as unknown as string), TypeError);
  assert.throws(() => client.keys("a", { deep: 1 } as object), TypeError);
  assert.throws(() => client.children("a", { pageSize: "7" } as object), TypeError);
});
