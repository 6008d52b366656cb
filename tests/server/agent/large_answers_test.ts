/**
 * Large answers of real servers, through one that follows.
 *
 * @module
 */

import assert from "node:assert/strict";
import { folder, leaderOf, statusOf, threeServers } from "../../support/replica/agents.ts";

const VALUE = "x".repeat(500_000);
const KEYS = 8;
const OPTIONS = { timeoutMs: 30_000 } as const;

Deno.test("many large answers come through a server that follows, and the leader goes on", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const leader = await leaderOf(servers.agents);
  const follower = servers.agents.find(({ config }) => config.nodeName !== leader);
  assert.ok(follower);
  const { term } = await statusOf(follower);
  const { kv } = follower;
  for (let i = 0; i < KEYS; i++) await kv.set(`^large^k${i}`, VALUE, OPTIONS);
  const gets = Array.from({ length: 64 }, (_, i) => kv.get(`^large^k${i % KEYS}`, OPTIONS));
  const lists = Array.from({ length: 6 }, () => Array.fromAsync(kv.entries("^large", OPTIONS)));
  for (const entry of await Promise.all(gets)) assert.equal(entry?.value, VALUE);
  for (const entries of await Promise.all(lists)) {
    assert.deepEqual(entries.map(({ key }) => key), Array.from(entries, (_, i) => `large^k${i}`));
    assert.equal(entries.length, KEYS);
    assert.ok(entries.every(({ value }) => value === VALUE));
  }
  assert.equal((await statusOf(follower)).term, term);
});
