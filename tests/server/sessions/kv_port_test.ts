/**
 * Sessions of the key-value ports of three servers, whoever of them leads.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Agent } from "../../../server/agent/agent.ts";
import type { SessionReport } from "../../../server/replica/sessions/administration.ts";
import { eventually } from "../../support/agents.ts";
import { brief, type KvPeer } from "../../support/kv/stage.ts";
import {
  clientOf,
  folder,
  leaderOf,
  type Servers,
  startGateway,
  threeServers,
} from "../../support/replica/agents.ts";
import { openRaw } from "../../support/sessions/raw_client.ts";

const INCR = { action: "INCR", key: "n" };
const TIMEOUT_MS = 5_000;
const SETTINGS = { sessions: { timeoutMs: TIMEOUT_MS } };

async function begin(client: KvPeer): Promise<string> {
  const { result } = await client.ask({ action: "SESSION", op: "create" });
  return (result as { session: string }).session;
}

async function goOn(client: KvPeer, session: string): Promise<string> {
  return brief(await client.ask({ action: "SESSION", op: "continue", session }));
}

async function followersOf(servers: Servers): Promise<[Agent, Agent]> {
  const leader = await leaderOf(servers.agents);
  return servers.agents.filter(({ config }) => config.nodeName !== leader) as [Agent, Agent];
}

Deno.test("a session is at whichever server its client is, does nothing twice, and is told everything once", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const [one, other] = await followersOf(servers);
  using first = await clientOf(one);
  const session = await begin(first);
  assert.match(brief(await first.ask({ action: "WATCH", key: "n", rid: 1 })), /"watch":1/);
  assert.equal(brief(await first.ask({ ...INCR, rid: 2 })), "1 rev 1");
  assert.deepEqual((await first.pushes(1)).map(({ value, ack }) => [value, ack]), [[1, 1]]);
  await first.ask({ action: "SESSION", op: "ack", ack: 1 });
  await eventually("it is forgotten", async () => {
    const shown = await one.state?.administerSessions("show", session) as SessionReport;
    assert.equal(shown.connected, true);
    return shown.pending === 0;
  });

  using second = await clientOf(other);
  assert.match(await goOn(second, session), /"next_rid":3/);
  assert.deepEqual(await first.pushes(1), [{
    push: "session",
    code: 410,
    reason: "SESSION_MOVED",
  }]);
  assert.equal(brief(await first.ask({ ...INCR, rid: 3 })), "410 SESSION_MOVED");
  assert.equal(brief(await second.ask({ ...INCR, rid: 2 })), "1 rev 1");
  assert.equal(brief(await second.ask({ ...INCR, rid: 3 })), "2 rev 2");
  assert.deepEqual((await second.pushes(1)).map(({ value, ack }) => [value, ack]), [[2, 2]]);

  // The port of sessions has the same ones.
  const leader = servers.at(await leaderOf(servers.agents));
  await using raw = await openRaw(leader);
  assert.equal(await raw.goOn(session), "continued");
  await raw.next("sessionState");
  await raw.next("clusterInfo");
  assert.equal((await raw.next("serverRequest")).requestId, 2);
  assert.match(await raw.command(3, INCR), /"result":2,/);
  assert.deepEqual((await second.pushes(1)).map(({ reason }) => reason), ["SESSION_MOVED"]);
  using third = await clientOf(one);
  assert.match(await goOn(third, session), /"next_rid":4/);
  await raw.ended();
  assert.equal(brief(await third.ask({ action: "SESSION", op: "close" })), '"OK"');
  assert.equal(await goOn(second, session), "410 SESSION_EXPIRED");
});

Deno.test("a session at a follower lives as long as its client says something, and ends without", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path, SETTINGS);
  const [one, other] = await followersOf(servers);
  using alive = await clientOf(one);
  using silent = await clientOf(other);
  const [there, gone] = [await begin(alive), await begin(silent)];
  const began = performance.now();
  const talking = new AbortController();
  const talk = (async () => {
    while (!talking.signal.aborted) {
      await alive.ask({ action: "PING" });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  })();
  const pushes = await silent.pushes(2);
  const lasted = performance.now() - began;
  assert.deepEqual(pushes.map(({ push, reason }) => reason ?? push), ["ping", "SESSION_EXPIRED"]);
  assert.ok(lasted >= TIMEOUT_MS - 50 && lasted < 1.5 * TIMEOUT_MS + 2_000, `${lasted}`);
  await eventually("twice its time is over", () => performance.now() > began + 2 * TIMEOUT_MS);
  talking.abort();
  await talk;
  assert.equal(brief(await alive.ask({ ...INCR, rid: 1 })), "1 rev 1");
  using next = await clientOf(one);
  assert.equal(await goOn(next, gone), "410 SESSION_EXPIRED");
  assert.match(await goOn(next, there), /"next_rid":2/);
});

Deno.test("an agent that keeps no state says that it has no sessions", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  await using gateway = await startGateway("d", servers.agents);
  using client = await clientOf(gateway);
  assert.equal(brief(await client.ask({ action: "SESSION", op: "create" })), "503 NO_SESSIONS");
  assert.equal(brief(await client.ask({ ...INCR, rid: 1 })), "422 INVALID (rid)");
});
