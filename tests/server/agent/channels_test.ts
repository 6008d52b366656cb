/**
 * Channels between agents that run.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Agent } from "../../../server/agent/agent.ts";
import type { AgentSettings } from "../../../server/agent/start/settings.ts";
import { eventually } from "../../support/agents.ts";
import { KvPeer, type Reply } from "../../support/kv/stage.ts";
import { LineClient } from "../../support/net/line_client.ts";
import { folder, leaderOf, threeServers } from "../../support/replica/agents.ts";

const ENCRYPTION_KEY = "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";

/** A client of a server. */
async function clientOf(agent: Agent): Promise<KvPeer> {
  const [hostname = "", port] = agent.state?.addresses.kvAddr?.split(":") ?? [];
  const address: Deno.NetAddr = { transport: "tcp", hostname, port: Number(port) };
  return new KvPeer(await LineClient.connect(address));
}

/** A client that has subscribed. */
async function subscriberOf(agent: Agent, ...channels: string[]): Promise<KvPeer> {
  const client = await clientOf(agent);
  const reply = await client.ask({ action: "SUBSCRIBE", channels });
  assert.equal(reply["status"], "ok");
  return client;
}

/** How many a message reaches. */
async function publish(client: KvPeer, channel: string, message: unknown): Promise<number> {
  const reply = await client.ask({ action: "PUBLISH", channel, message });
  assert.equal(reply["status"], "ok");
  return reply["result"] as number;
}

/** Publishes on a channel of its own until so many are reached: then they know of each other. */
async function reaches(client: KvPeer, channel: string, count: number): Promise<void> {
  await eventually(`${channel} reaches ${count}`, async () => {
    return await publish(client, channel, "ready") === count;
  });
}

/** What was pushed that is not there to find out who listens. */
async function messages(client: KvPeer, count: number): Promise<Reply[]> {
  const found: Reply[] = [];
  while (found.length < count) {
    const [push] = await client.pushes(1);
    if (push?.["message"] !== "ready") found.push(push as Reply);
  }
  return found;
}

/** Has one server publish, and subscribers of all hear it. */
async function publishAndHear(settings: AgentSettings): Promise<void> {
  await using data = await folder();
  await using servers = await threeServers(data.path, settings);
  const [a, b, c] = servers.agents as [Agent, Agent, Agent];
  await leaderOf(servers.agents);
  using publisher = await clientOf(a);
  const subscribers = await Promise.all([
    subscriberOf(a, "news^a"),
    subscriberOf(b, "news^a", "news^*"),
    subscriberOf(c, "news^**"),
    subscriberOf(c, "**", "news^a"),
  ]);
  using _other = await subscriberOf(b, "elsewhere");
  // One here, and two other agents.
  await reaches(publisher, "news^a", 3);
  const count = 500;
  const requests = Array.from({ length: count }, (_, i) => ({
    action: "PUBLISH",
    channel: i % 2 === 0 ? "news^a" : "news^b^c",
    message: i,
  }));
  await publisher.ask({ action: "HELLO", client: "press" });
  for (const reply of await publisher.all(requests)) assert.equal(reply["status"], "ok");
  const all = requests.map(({ message }) => message);
  const even = all.filter((i) => i % 2 === 0);
  const expected = [even, even, all, all];
  const patterns = [undefined, undefined, "news^**", "**"];
  for (const [i, client] of subscribers.entries()) {
    const got = await messages(client, expected[i]?.length ?? 0);
    assert.deepEqual(got.map(({ message }) => message), expected[i]);
    for (const push of got) {
      assert.equal(push["pattern"], patterns[i]);
      assert.equal(push["from"], "press");
      assert.equal(push["node"], "a");
    }
    const numbers = got.filter(({ channel }) => channel === "news^a").map(({ seq }) => seq);
    assert.deepEqual(numbers, numbers.map((_, at) => (numbers[0] as number) + at));
    // Nothing comes twice: the next thing is an answer.
    assert.equal((await client.ask({ action: "PING" }))["result"], "PONG");
    client[Symbol.dispose]();
  }
}

Deno.test("what is published at one server reaches subscribers of all once and in order", () =>
  publishAndHear({}));

Deno.test("the same where everything is sealed", () =>
  publishAndHear({ encryptKey: ENCRYPTION_KEY }));

Deno.test("publishers do not wait for a server that dies, and it hears again when it is back", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  using publisher = await clientOf(servers.at("a"));
  using stays = await subscriberOf(servers.at("b"), "x");
  const dies = await subscriberOf(servers.at("c"), "x");
  await reaches(publisher, "x", 2);
  await servers.end("c");
  await eventually(
    "the dead server is forgotten",
    async () => await publish(publisher, "x", "ready") === 1,
  );
  const start = performance.now();
  for (let i = 0; i < 100; i++) assert.equal(await publish(publisher, "x", i), 1);
  assert.ok(performance.now() - start < 2_000, "nobody waits for the dead one");
  assert.deepEqual(
    (await messages(stays, 100)).map(({ message }) => message),
    Array.from({ length: 100 }, (_, i) => i),
  );
  dies[Symbol.dispose]();
  await servers.start("c");
  using back = await subscriberOf(servers.at("c"), "x^*", "x");
  await reaches(publisher, "x", 2);
  using other = await clientOf(servers.at("c"));
  await reaches(other, "x", 2);
  assert.equal(await publish(publisher, "x", "again"), 2);
  assert.equal(await publish(other, "x", "from c"), 2);
  // Two publishers have no order.
  for (const client of [back, stays]) {
    const got = (await messages(client, 2)).map(({ node, message }) => `${node} ${message}`);
    assert.deepEqual(got.sort(), ["a again", "c from c"]);
  }
});

Deno.test("a subscriber that ends its connection is forgotten by all servers", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  using publisher = await clientOf(servers.at("a"));
  const one = await subscriberOf(servers.at("b"), "x");
  await reaches(publisher, "x", 1);
  one[Symbol.dispose]();
  await reaches(publisher, "x", 0);
});
