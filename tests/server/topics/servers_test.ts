/**
 * Topics of real servers: what outlives them, who answers, and what happens when they end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FLAG } from "../../../protocol/topics/mod.ts";
import { eventually } from "../../support/agents.ts";
import { folder, leaderOf, Servers, threeServers } from "../../support/replica/agents.ts";
import { decodeMessages, encodeMessages, messageOf } from "../../support/topics/messages.ts";
import {
  answerOf,
  fetching,
  isRefused,
  producing,
  RawTopics,
} from "../../support/topics/raw_client.ts";

const decoder = new TextDecoder();

/** The values of a partition from its first message on. */
async function valuesOf(client: RawTopics, topic: string, partition = 0): Promise<string[]> {
  const values: string[] = [];
  for (let offset = -2;;) {
    const { messages } = await client.done("fetch", fetching(topic, offset, { partition }));
    if (messages.count === 0) return values;
    const some = decodeMessages(messages.bytes);
    values.push(...some.map(({ value }) => decoder.decode(value as Uint8Array)));
    offset = Number(some.at(-1)?.offset) + 1;
  }
}

/** A client of the server that leads. */
async function clientOfLeader(servers: Servers): Promise<RawTopics> {
  const client = await RawTopics.open(servers.at(await leaderOf(servers.agents)));
  await eventually("it can be asked", async () => {
    return !isRefused(await client.ask("listTopics", {}));
  });
  return client;
}

Deno.test("topics, their messages and what was deleted are as they were after a restart", async () => {
  await using dir = await folder();
  await using servers = new Servers(dir.path, { bootstrapExpect: 1 });
  await servers.start("a");
  {
    using client = await clientOfLeader(servers);
    await client.done("produce", producing("gone", ["x"]));
    await client.done("deleteTopic", { topic: "gone" });
    for (const topic of ["c", "a", "b"]) {
      await client.done("createTopic", { topic, partitions: 2, replicationFactor: 1 });
    }
    for (let i = 0; i < 50; i++) await client.done("produce", producing("a", [`${i}`, "and"]));
    await client.done("deleteRecords", { topic: "a", partition: 0, offset: 3 });
  }
  await servers.end("a");
  await servers.start("a");
  using client = await clientOfLeader(servers);
  const { topics } = await client.done("listTopics", {});
  assert.deepEqual(topics.map(({ name, partitions }) => [name, partitions]), [
    ["a", 2],
    ["b", 2],
    ["c", 2],
  ]);
  const expected = Array.from({ length: 50 }, (_, i) => [`${i}`, "and"]).flat();
  assert.deepEqual(await valuesOf(client, "a"), expected.slice(3));
  await client.done("createTopic", { topic: "gone", partitions: 1, replicationFactor: 1 });
  assert.deepEqual(await valuesOf(client, "gone"), []);
  assert.equal((await client.done("produce", producing("a", ["next"]))).baseOffset, 100);
});

Deno.test("a server that does not lead says who does and where, and tells what it has to who wants that", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path);
  using client = await clientOfLeader(servers);
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 3 });
  assert.equal(
    await client.refused("createTopic", { topic: "u", partitions: 1, replicationFactor: 4 }),
    2,
  );
  await client.done("produce", producing("t", ["a", "b"]));
  const leader = await leaderOf(servers.agents);
  const address = servers.at(leader).state?.addresses.topicsAddr;
  for (const agent of servers.agents) {
    if (agent.config.nodeName === leader) continue;
    using follower = await RawTopics.open(agent);
    await eventually("it knows where the leader serves topics", async () => {
      const answer = await follower.ask("produce", producing("t", ["c"]));
      return isRefused(answer) && answer.code === 100 && answer.message === `${leader} ${address}`;
    });
    for (
      const ask of [
        () => follower.refused("fetch", fetching("t", 0)),
        () => follower.refused("createTopic", { topic: "v", partitions: 1, replicationFactor: 1 }),
        () => follower.refused("listTopics", {}),
        () => follower.refused("getOffset", { topic: "t", partition: 0 }),
      ]
    ) assert.equal(await ask(), 100);
    assert.equal((await follower.done("healthCheck", {})).status, "healthy");
    const sending = { flags: FLAG.anyServer };
    await eventually("it has the messages", async () => {
      const answer = await follower.ask("fetch", fetching("t", 0), sending);
      return !isRefused(answer) && answer.messages.count === 2;
    });
    // It hears of the next one, too.
    const waiting = follower.done(
      "fetch",
      fetching("t", 2, { minBytes: 1, maxWaitMs: 10_000 }),
      sending,
    );
    await client.done("produce", producing("t", ["c"]));
    assert.equal((await waiting).messages.count, 1);
    await client.done("deleteRecords", { topic: "t", partition: 0, offset: 1 });
    await client.done("deleteTopic", { topic: "t" });
    await client.done("produce", producing("t", ["a", "b"]));
  }
  const { servers: told, leader: name } = await client.done("metadata", { topics: [] });
  assert.equal(name, leader);
  assert.deepEqual(
    told.map(({ id, host, port }) => [id, `${host}:${port}`]).sort(),
    servers.agents.map((agent) => [agent.config.nodeName, agent.state?.addresses.topicsAddr])
      .sort(),
  );
});

Deno.test("a produce without a majority is answered within its time, and not with success", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path, {
    raft: { electionTimeoutMs: 2_000, heartbeatMs: 100 },
  });
  using client = await clientOfLeader(servers);
  await client.done("produce", producing("t", ["a"]));
  const leader = await leaderOf(servers.agents);
  const others = servers.agents.map(({ config }) => config.nodeName)
    .filter((name) => name !== leader);
  await Promise.all(others.map((name) => servers.end(name)));
  const start = performance.now();
  const answer = await client.ask("produce", producing("t", ["b"], { timeoutMs: 500 }));
  const ms = performance.now() - start;
  assert.ok(isRefused(answer) && answer.code === 6, JSON.stringify(answer));
  assert.ok(ms >= 450 && ms < 1_500, `${ms} ms`);
  await eventually("it knows that it leads nobody", async () => {
    const refused = await client.ask("produce", producing("t", ["c"], { timeoutMs: 300 }));
    return isRefused(refused) && refused.code === 100 && refused.message === "";
  });
  assert.equal((await client.done("healthCheck", {})).status, "unhealthy");
  assert.equal(await client.refused("fetch", fetching("t", 0)), 100);
  const stale = await client.done("fetch", fetching("t", 0), { flags: FLAG.anyServer });
  assert.equal(stale.messages.count, 1);
});

Deno.test("a server that ends answers what it has begun, and cuts no frame", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path);
  using client = await clientOfLeader(servers);
  await client.done("createTopic", { topic: "t", partitions: 3, replicationFactor: 3 });
  const leader = await leaderOf(servers.agents);
  const acknowledged: string[][] = [[], [], []];
  const codes = new Set<number>();
  const load = async (partition: number): Promise<void> => {
    using producer = await RawTopics.open(servers.at(leader));
    const batches = new Map<unknown, string>();
    let sent = 0;
    const post = async (): Promise<void> => {
      const batch = `${partition}.${sent++}`;
      const values = Array.from({ length: 7 }, (_, i) => `${batch} ${i}`);
      batches.set(await producer.post("produce", producing("t", values, { partition })), batch);
    };
    try {
      for (let i = 0; i < 5; i++) await post();
      while (true) {
        const reply = await producer.reply();
        const batch = batches.get(reply.id) as string;
        batches.delete(reply.id);
        const answer = answerOf(reply, "produce");
        if (isRefused(answer)) codes.add(answer.code);
        else acknowledged[partition]?.push(batch);
        await post();
      }
    } catch {
      // The connection has ended, and no frame was cut.
      assert.equal(producer.pending, 0);
    }
  };
  const loads = [0, 1, 2].map(load);
  await eventually("there is load", () => acknowledged.every((some) => some.length > 5));
  await servers.end(leader);
  await Promise.all(loads);
  for (const code of codes) assert.ok([6, 100, 101].includes(code), `code ${code}`);
  using next = await clientOfLeader(servers);
  for (const [partition, batches] of acknowledged.entries()) {
    const values = await valuesOf(next, "t", partition);
    const whole = new Set(values.map((value) => value.split(" ")[0]));
    // All of a batch or nothing, in order, once.
    assert.deepEqual(
      values,
      [...whole].flatMap((batch) => Array.from({ length: 7 }, (_, i) => `${batch} ${i}`)),
    );
    for (const batch of batches) assert.ok(whole.has(batch), `${batch} was acknowledged`);
  }
});

Deno.test("what was acknowledged is on all servers, and there when all of them come back", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path);
  const values = Array.from({ length: 40 }, (_, i) => `v${i}`);
  {
    using client = await clientOfLeader(servers);
    for (const value of values) await client.done("produce", producing("t", [value]));
  }
  await servers.endAll();
  for (const name of ["a", "b", "c"]) await servers.start(name);
  using client = await clientOfLeader(servers);
  assert.deepEqual(await valuesOf(client, "t"), values);
  for (const agent of servers.agents) {
    using any = await RawTopics.open(agent);
    await eventually(`${agent.config.nodeName} has all`, async () => {
      const answer = await any.ask("fetch", fetching("t", 0), { flags: FLAG.anyServer });
      return !isRefused(answer) && answer.messages.count === values.length;
    });
  }
});

Deno.test("a batch of almost the longest length comes to all servers", async () => {
  // Before there are servers, whose heartbeats would have to wait for it.
  const bytes = encodeMessages(Array(3).fill(messageOf("x".repeat(3 * 1024 * 1024))));
  await using dir = await folder();
  await using servers = await threeServers(dir.path, {
    raft: { electionTimeoutMs: 2_000, heartbeatMs: 100 },
  });
  using client = await clientOfLeader(servers);
  for (let i = 0; i < 3; i++) {
    await client.done("produce", producing("t", [], { messages: { count: 3, bytes } }));
  }
  for (const agent of servers.agents) {
    using any = await RawTopics.open(agent);
    await eventually(`${agent.config.nodeName} has all`, async () => {
      const fetch = fetching("t", 8, { maxBytes: 10 * 1024 * 1024 });
      const answer = await any.ask("fetch", fetch, { flags: FLAG.anyServer });
      return !isRefused(answer) && answer.messages.count === 1 &&
        answer.messages.bytes.length === bytes.length / 3;
    });
  }
});
