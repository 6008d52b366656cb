/**
 * Large answers of real servers, through one that follows.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Agent } from "../../../server/agent/agent.ts";
import {
  clientOf,
  folder,
  leaderOf,
  startGateway,
  statusOf,
  threeServers,
} from "../../support/replica/agents.ts";

const VALUE = "x".repeat(500_000);
const KEYS = 8;
const REQUESTS = 1_000;
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

Deno.test("clients that ask for a thousand large values and read none keep nobody else waiting, at no kind of agent", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const leader = await leaderOf(servers.agents);
  const follower = servers.agents.find(({ config }) => config.nodeName !== leader) as Agent;
  await using gateway = await startGateway("g", servers.agents);
  for (let i = 0; i < KEYS; i++) await follower.kv.set(`^large^k${i}`, VALUE, OPTIONS);
  await follower.kv.set("^small", 1, OPTIONS);
  for (const agent of [follower, gateway]) {
    for (const consistency of ["linearizable", "stale"]) {
      using other = await clientOf(agent);
      const silent = await Promise.all(Array.from({ length: 4 }, () => clientOf(agent)));
      const line = (i: number) =>
        `${JSON.stringify({ action: "GET", key: `^large^k${i % KEYS}`, consistency })}\n`;
      const lines = Array.from({ length: REQUESTS }, (_, i) => line(i)).join("");
      for (const client of silent) await client.send(lines);
      const since = performance.now();
      for (let i = 0; i < 20; i++) {
        const answers = await other.all([
          { action: "GET", key: "^small" },
          { action: "EXISTS", key: "^small", consistency: "stale" },
          { action: "SET", key: "^other", value: i },
        ]);
        assert.ok(answers.every(({ status }) => status === "ok"), JSON.stringify(answers));
      }
      const took = performance.now() - since;
      const where = `${agent.config.nodeName}, ${consistency}`;
      assert.ok(took < 5_000, `20 times three requests took ${took} ms (${where})`);
      for (const client of silent) client[Symbol.dispose]();
    }
  }
});
