/**
 * Groups with members at real servers: who is silent goes, and the group outlives the server that leads.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../../support/agents.ts";
import { folder, leaderOf, Servers, threeServers } from "../../support/replica/agents.ts";
import { isRefused, RawTopics } from "../../support/topics/raw_client.ts";
import { RawMember } from "../../support/topics/raw_member.ts";

/** A client of the server that leads. */
async function clientOfLeader(servers: Servers): Promise<RawTopics> {
  const client = await RawTopics.open(servers.at(await leaderOf(servers.agents)));
  await eventually("it can be asked", async () => {
    return !isRefused(await client.ask("listTopics", {}));
  });
  return client;
}

/** Has members do what they are told, once. */
async function live(members: readonly RawMember[]): Promise<void> {
  for (const member of members) if (await member.beat() === 22) await member.sync();
}

/** Members live until together they have so many partitions. */
async function settle(members: readonly RawMember[], partitions: number): Promise<void> {
  await eventually(`they have ${partitions} partitions`, async () => {
    await live(members);
    return members.every(({ held }) => held.length === partitions / members.length);
  });
  const all = members.flatMap(({ held }) => held.map(({ partition }) => partition));
  assert.equal(new Set(all).size, partitions);
}

Deno.test("the others take over what a silent member had, and it cannot commit any more", async () => {
  await using dir = await folder();
  await using servers = new Servers(dir.path, { bootstrapExpect: 1 });
  await servers.start("a");
  using client = await clientOfLeader(servers);
  await client.done("createTopic", { topic: "t", partitions: 6, replicationFactor: 1 });
  const times = { sessionTimeoutMs: 3_000 };
  const members = [];
  for (let i = 0; i < 3; i++) members.push(await RawMember.join(client, times));
  await settle(members, 6);
  const [silent, ...others] = members as [RawMember, RawMember, RawMember];
  const [{ partition } = { partition: -1 }] = silent.held;
  assert.equal(await silent.commit(partition, 7), 0);
  const since = performance.now();
  await settle(others, 6);
  const ms = performance.now() - since;
  assert.ok(ms >= 2_900, `${ms} ms`);
  assert.equal(await silent.commit(partition, 9), 20);
  const owner = others.find(({ held }) => held.some((one) => one.partition === partition));
  assert.equal(await owner?.commit(partition, 8), 0);
  const { offsets } = await client.done("fetchOffsets", {
    group: "g",
    partitions: [{ topic: "t", partition }],
  });
  assert.equal(offsets[0]?.offset, 8);
});

Deno.test("members keep what they have when another server leads, and that waits for all of them anew", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path);
  let client = await clientOfLeader(servers);
  try {
    await client.done("createTopic", { topic: "t", partitions: 2, replicationFactor: 1 });
    const times = { sessionTimeoutMs: 3_000 };
    const members = [await RawMember.join(client, times), await RawMember.join(client, times)];
    await settle(members, 2);
    const [one, silent] = members as [RawMember, RawMember];
    const { generation, held } = one;
    await servers.end(await leaderOf(servers.agents));
    client[Symbol.dispose]();
    client = await clientOfLeader(servers);
    for (const member of members) member.client = client;
    assert.equal(await one.beat(), 0);
    assert.deepEqual([one.generation, one.held], [generation, held]);
    assert.equal(await one.commit(held[0]?.partition ?? -1, 3), 0);
    assert.equal(await silent.beat(), 0);
    await settle([one], 2);
    assert.equal(await silent.beat(), 20);
  } finally {
    client[Symbol.dispose]();
  }
});
