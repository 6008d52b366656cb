/**
 * Agents that keep no state and ask servers for their clients.
 *
 * @module
 */

import assert from "node:assert/strict";
import { NoLeaderError } from "../../../server/kv/local/local.ts";
import { NoStateError } from "../../../server/replica/errors.ts";
import { WHO_LEADS } from "../../../server/replica/gateway/questions.ts";
import { encodeQuestion } from "../../../server/replica/verification/questions.ts";
import { encodeOperation, REQUEST } from "../../../server/replica/wire_requests.ts";
import { eventually } from "../../support/agents.ts";
import { brief, type KvPeer } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import {
  clientOf,
  folder,
  leaderOf,
  startGateway,
  startServer,
  statusOf,
  threeServers,
} from "../../support/replica/agents.ts";
import { LinkServer } from "../../support/replica/link_server.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();
const ENCRYPTION_KEY = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";

/** Asks until it is done: what is refused with 503 was not. */
async function insist(client: KvPeer, request: object): Promise<string> {
  let answer = "";
  await eventually(`${JSON.stringify(request)} is done`, async () => {
    const reply = await client.ask(request);
    answer = brief(reply);
    return reply["code"] !== 503;
  });
  return answer;
}

for (const [how, encryptKey] of [["in the open", undefined], ["sealed", ENCRYPTION_KEY]] as const) {
  Deno.test(`a gateway answers as a server does, ${how}`, async () => {
    const settings = encryptKey === undefined ? {} : { encryptKey };
    await using data = await folder();
    await using servers = await threeServers(data.path, settings);
    const leader = await leaderOf(servers.agents);
    await using gateway = await startGateway("g", servers.agents, settings);
    using client = await clientOf(gateway);
    assert.equal(await insist(client, { action: "SET", key: "k", value: [1] }), '"OK" rev 1');
    const requests = [
      { action: "GET", key: "k" },
      { action: "GET", key: "k", consistency: "lease" },
      { action: "INCR", key: "n" },
      { action: "SET", key: "k", value: 2, if_rev: 7 },
      { action: "GET", key: "none" },
      { action: "KEYS" },
      { action: "DEL", key: "k" },
    ];
    assert.deepEqual((await client.all(requests)).map(brief), [
      "[1] rev 1",
      "[1] rev 1",
      "1 rev 2",
      "409 CONDITION_FAILED rev 1",
      "404 KEY_NOT_FOUND",
      '["global^k","global^n"]',
      "1 rev 3",
    ]);
    await eventually("a server has it", async () => {
      const stale = await client.ask({ action: "GET", key: "n", consistency: "stale" });
      assert.equal(typeof stale["lag_ms"], "number");
      return brief(stale) === "1 rev 2";
    });
    const { result } = await client.ask({ action: "HELLO" });
    assert.equal((result as { leader: string }).leader, leader);
    assert.equal((result as { node: string }).node, "g");
    assert.deepEqual(await gateway.kv.set("x", 1), { rev: 4 });
    assert.deepEqual(await servers.at("b").kv.get("x"), { value: 1, rev: 4 });
    await eventually("all servers have it", async () => {
      const had = servers.agents.map(({ kv }) => kv.get("x", { consistency: "stale" }));
      return (await Promise.all(had)).every((entry) => entry?.rev === 4);
    });
    const begun = await client.ask({ action: "WATCH", key: "x", initial: true, old: true });
    assert.equal(brief(begun), '{"watch":1,"rev":4}');
    await using own = gateway.kv.watch("^", { tree: true, fromRev: 3 });
    const seen: unknown[] = [];
    await client.pushes(2);
    await servers.at("c").kv.set("x", 2);
    for await (const { kind, rev } of own) if (seen.push([kind, rev]) === 3) break;
    assert.deepEqual(seen, [["del", 3], ["set", 4], ["set", 5]]);
    const [{ old, value } = {}] = await client.pushes(1);
    assert.deepEqual([old, value], [1, 2]);
    await assert.rejects(gateway.state?.administer("status") as Promise<unknown>, NoStateError);
  });
}

Deno.test("a gateway finds the next leader when one dies, and loses nothing that it acknowledged", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  await using gateway = await startGateway("g", servers.agents);
  using client = await clientOf(gateway);
  assert.equal(await insist(client, { action: "INCR", key: "n" }), "1 rev 1");
  await servers.end(await leaderOf(servers.agents));
  // Told at once or in time, as not done or as unknown, and then done.
  const answers: string[] = [];
  await eventually("it goes on", async () => {
    const reply = await client.ask({ action: "SET", key: "k", value: "after" });
    answers.push(brief(reply));
    return reply["status"] === "ok";
  });
  for (const answer of answers.slice(0, -1)) assert.match(answer, /^50[34] /);
  assert.equal(brief(await client.ask({ action: "GET", key: "n" })), "1 rev 1");
});

Deno.test("without a server a gateway says so when the time is over", async () => {
  await using gateway = await startGateway("g", []);
  await assert.rejects(gateway.kv.set("k", 1, { timeoutMs: 200 }), NoLeaderError);
  await assert.rejects(gateway.kv.get("k", { timeoutMs: 200 }), NoLeaderError);
  await assert.rejects(gateway.kv.get("k", { consistency: "stale" }), NoLeaderError);
  assert.match(gateway.log.lines("WARN").join("\n"), /No server is known/);
  // What waits when it ends is answered, too.
  const waiting = assert.rejects(gateway.kv.set("k", 1), { code: 503, reason: "SHUTTING_DOWN" });
  await gateway.shutdown();
  await waiting;
});

Deno.test("servers take nothing of the log from a gateway, nor what only servers may ask", async () => {
  await using data = await folder();
  await using server = await startServer("a", data.path, { bootstrapExpect: 1 });
  await leaderOf([server]);
  const { id } = await statusOf(server);
  const [host = "", port] = server.state?.addresses.peerAddr.split(":") ?? [];
  await using visitor = await LinkServer.start(HOST, "f", { clusterId: "", isVisitor: true });
  visitor.links.locate(id, { host, port: Number(port) });
  const ask = (bytes: Uint8Array) => visitor.links.request(id, bytes, 5_000);
  assert.equal(new TextDecoder().decode(await ask(WHO_LEADS)), id);
  const token = "0".repeat(32);
  const refused = [
    Uint8Array.of(REQUEST.promise),
    encodeOperation({ kind: "mark", token }),
    encodeQuestion({ token, begins: true }),
    Uint8Array.of(0xff),
  ];
  for (const bytes of refused) {
    assert.deepEqual(await ask(bytes), new Uint8Array(), String(bytes[0]));
  }
  visitor.tell({ id } as LinkServer, 99);
  await until(() => visitor.logged(/It takes no part in the log/));
  assert.equal((await statusOf(server)).term < 99, true);
});

Deno.test("channels go through gateways in both directions, and between them", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  await using g = await startGateway("g", servers.agents);
  await using h = await startGateway("h", servers.agents);
  const hearers = [];
  for (const agent of [g, h, servers.at("b")]) {
    const client = await clientOf(agent);
    await client.ask({ action: "SUBSCRIBE", channel: "x" });
    hearers.push(client);
  }
  for (const agent of [g, h, servers.at("c")]) {
    using publisher = await clientOf(agent);
    const expected = 3;
    await eventually(`all hear ${agent.config.nodeName}`, async () => {
      const { result } = await publisher.ask({ action: "PUBLISH", channel: "x", message: "ready" });
      return result === expected;
    });
    await publisher.ask({ action: "PUBLISH", channel: "x", message: "go" });
    for (const hearer of hearers) {
      for (;;) {
        const [push] = await hearer.pushes(1);
        // Before the publisher knew where everybody is.
        if (push?.["push"] === "dropped") continue;
        assert.equal(push?.["node"], agent.config.nodeName);
        if (push?.["message"] === "go") break;
      }
    }
  }
  await h.shutdown();
  using publisher = await clientOf(g);
  await eventually("the gateway that ended is forgotten", async () => {
    const reply = await publisher.ask({ action: "PUBLISH", channel: "x", message: "later" });
    return reply["result"] === 2;
  });
  assert.doesNotMatch(g.log.lines("WARN").join("\n"), /has the id of this server/);
  for (const hearer of hearers) hearer[Symbol.dispose]();
});
