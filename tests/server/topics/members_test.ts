/**
 * Groups whose members share partitions, as clients of a port see them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_GROUP_MEMBERS } from "../../../cluster/machine/topics/mod.ts";
import { LocalRequests } from "../../../server/topics/local/requests.ts";
import { accessOf } from "../../support/kv/access.ts";
import { loopback } from "../../support/loopback.ts";
import type { RawTopics } from "../../support/topics/raw_client.ts";
import { MemoryTopics } from "../../support/topics/memory_topics.ts";
import { joining, parts, RawMember } from "../../support/topics/raw_member.ts";
import { serveTopics, type TopicStage } from "../../support/topics/stage.ts";

const HOST = loopback();

Deno.test("members share partitions, hand over what others are to read, and keep the rest", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 6, replicationFactor: 0 });
  const one = await RawMember.join(client);
  assert.equal(one.member, "member-1");
  assert.equal(await one.beat(), 22);
  assert.deepEqual(await one.sync(), [[0, 1, 2, 3, 4, 5], false]);
  assert.equal(await one.beat(), 0);
  const two = await RawMember.join(client);
  assert.deepEqual(await two.sync(), [[], true]);
  // Nothing of what is to be the other's is free, and the first one has to be told.
  assert.equal(await two.beat(), 0);
  assert.equal(await one.beat(), 22);
  const [kept] = await one.sync();
  assert.equal(kept.length, 3);
  assert.deepEqual(await two.sync(), [[], true]);
  // What it holds no more is the other's once it has said so.
  assert.deepEqual(await one.sync(), [kept, false]);
  assert.equal(await one.beat(), 0);
  assert.equal(await two.beat(), 22);
  const [others, more] = await two.sync();
  assert.equal(more, false);
  assert.deepEqual([...kept, ...others].sort(), [0, 1, 2, 3, 4, 5]);
  const described = await client.done("describeGroup", { group: "g" });
  assert.deepEqual(
    described.members.map(({ member, client, owned }) => [member, client, owned]),
    [["member-1", "c", parts(...kept)], ["member-2", "c", parts(...others)]],
  );
  // One that leaves has nothing to say.
  await client.done("leaveGroup", { group: "g", member: two.member });
  assert.equal(await one.beat(), 22);
  assert.deepEqual(await one.sync(), [[0, 1, 2, 3, 4, 5], false]);
});

Deno.test("a heartbeat and a commit say why they are refused, and the member that was removed can do neither", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 2, replicationFactor: 0 });
  const one = await RawMember.join(client);
  const { generation: joined } = one;
  await one.sync();
  assert.equal(await one.commit(0), 0);
  assert.equal(await one.commit(0, 1, joined), 23);
  assert.equal(await one.commit(2), 22);
  const two = await RawMember.join(client);
  assert.equal(await two.commit(0), 22);
  one.generation--;
  assert.equal(await one.beat(), 22);
  one.generation++;
  const strangers = [
    "",
    "member-",
    "member-0",
    "member-07",
    "member-9",
    "member-x",
    "member-1e0",
    "x".repeat(249),
  ];
  for (const member of strangers) {
    assert.equal(await client.refused("heartbeat", { group: "g", generation: 1, member }), 20);
    assert.equal(await client.refused("leaveGroup", { group: "g", member }), 20);
    const held = parts(0);
    assert.equal(
      await client.refused("syncGroup", { group: "g", generation: 1, member, held }),
      20,
    );
    const offsets = [{ topic: "t", partition: 0, offset: 1, metadata: "" }];
    const commit = { group: "g", generation: 1, member, offsets };
    assert.equal(await client.refused("commitOffsets", commit), 20);
    if (member === "") continue;
    assert.equal(await client.refused("joinGroup", joining({ member })), 20);
  }
  await client.done("leaveGroup", { group: "g", member: one.member });
  assert.equal(await one.commit(0), 20);
  assert.equal(await one.beat(), 20);
  const { offsets } = await client.done("fetchOffsets", { group: "g", partitions: parts(0, 1) });
  assert.deepEqual(offsets.map(({ offset }) => offset), [1, -1]);
  // A program without a member commits while there are none.
  const plain = { group: "h", generation: 0, member: "", offsets: [] };
  await client.done("commitOffsets", plain);
  assert.equal(await client.refused("commitOffsets", { ...plain, group: "g" }), 20);
});

Deno.test("times outside of what may be, and groups that are too large or not there, are refused", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (const ms of [0, 999, 3_600_001, 0xffff_ffff]) {
    assert.equal(await client.refused("joinGroup", joining({ sessionTimeoutMs: ms })), 21);
    assert.equal(await client.refused("joinGroup", joining({ rebalanceTimeoutMs: ms })), 21);
  }
  assert.equal(await client.refused("describeGroup", { group: "g" }), 24);
  for (let i = 0; i < MAX_GROUP_MEMBERS; i++) await client.done("joinGroup", joining());
  assert.equal(await client.refused("joinGroup", joining()), 104);
  await client.done("joinGroup", joining({ group: "h" }));
  const { groups } = await client.done("listGroups", {});
  assert.deepEqual(groups, [
    { group: "g", generation: MAX_GROUP_MEMBERS, members: MAX_GROUP_MEMBERS },
    { group: "h", generation: 1, members: 1 },
  ]);
});

Deno.test("a server that does not lead says so of all that has to do with groups, and hears of nobody", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 2, replicationFactor: 0 });
  const member = await RawMember.join(client);
  await member.sync();
  stage.topics.leader = "beta";
  const { member: name, generation } = member;
  const about = { group: "g", member: name };
  assert.equal(await client.refused("joinGroup", joining()), 100);
  assert.equal(await client.refused("syncGroup", { ...about, generation, held: [] }), 100);
  assert.equal(await client.refused("heartbeat", { ...about, generation }), 100);
  assert.equal(await client.refused("leaveGroup", about), 100);
  assert.equal(await client.refused("describeGroup", { group: "g" }), 100);
  assert.equal(await client.refused("listGroups", {}), 100);
  stage.topics.leader = "alpha";
  const { commands, signs } = stage.topics;
  assert.equal(await member.beat(), 0);
  // A heartbeat at the leader is no entry, and a sign of life.
  assert.equal(stage.topics.commands, commands);
  assert.equal(signs.at(-1), 1);
});

Deno.test("the program around a server that does not lead gives its signs of life by the log", async () => {
  const topics = new MemoryTopics();
  const asked: string[] = [];
  const state = {
    askHere: (...request: Parameters<MemoryTopics["askHere"]>) => {
      asked.push(request[0]);
      // Whoever leads does it.
      topics.askHere(...request);
    },
    heard: () => {},
    peek: (question: Uint8Array) => topics.peek(question),
  };
  let isLeader = false;
  const cluster = {
    name: "alpha",
    clusterId: "c1",
    leader: undefined,
    get isLeader() {
      return isLeader;
    },
    isFull: false,
    servers: () => [],
  };
  const local = new LocalRequests({ state, messages: topics, cluster, autoCreate: true });
  const joined = await local.ask("joinGroup", joining());
  assert.deepEqual(await local.ask("heartbeat", { group: "g", ...joined }), {});
  isLeader = true;
  await local.ask("heartbeat", { group: "g", ...joined });
  assert.deepEqual(asked, ["command", "command", "question"]);
});

/** A client that has shown the token of a name. */
async function named(stage: TopicStage, name: string): Promise<RawTopics> {
  const client = await stage.client();
  await client.done("hello", { client: "c", token: `${name}-token` });
  return client;
}

Deno.test("who joins may consume each of its topics, and is told of no others", async () => {
  const entries = [
    { name: "all", read: ["^"], write: ["^"], publish: ["^"], subscribe: ["^"] },
    { name: "consumer", subscribe: ["t"] },
    { name: "producer", publish: ["t"] },
  ];
  await using stage = serveTopics(HOST, { access: await accessOf(entries) });
  using all = await named(stage, "all");
  using consumer = await named(stage, "consumer");
  using producer = await named(stage, "producer");
  for (const topic of ["secret", "t"]) {
    await all.done("createTopic", { topic, partitions: 1, replicationFactor: 0 });
  }
  assert.equal(await consumer.refused("joinGroup", joining({ topics: ["secret", "t"] })), 41);
  assert.equal(await producer.refused("joinGroup", joining()), 41);
  const both = await all.done("joinGroup", joining({ topics: ["secret", "t"] }));
  await all.done("syncGroup", { group: "g", ...both, held: [] });
  await all.done("joinGroup", joining({ group: "hidden", topics: ["secret"] }));
  const offsets = [{ topic: "secret", partition: 0, offset: 1, metadata: "" }];
  const commit = { group: "hidden-too", generation: 0, member: "", offsets };
  await all.done("commitOffsets", commit);
  const namesFor = async (client: RawTopics) =>
    (await client.done("listGroups", {})).groups.map(({ group }) => group);
  assert.deepEqual(await namesFor(all), ["g", "hidden", "hidden-too"]);
  assert.deepEqual(await namesFor(consumer), ["g"]);
  assert.deepEqual(await namesFor(producer), []);
  const ownedBy = async (client: RawTopics) =>
    (await client.done("describeGroup", { group: "g" })).members.map(({ owned }) => owned);
  const hidden = { topic: "secret", partition: 0 };
  assert.deepEqual(await ownedBy(all), [[hidden, ...parts(0)]]);
  assert.deepEqual(await ownedBy(consumer), [parts(0)]);
});

Deno.test("nobody speaks for members of a group that has nothing to do with what it may consume", async () => {
  const entries = [
    { name: "all", read: ["^"], write: ["^"], publish: ["^"], subscribe: ["^"] },
    { name: "consumer", subscribe: ["t"] },
    { name: "stranger", publish: ["t"], subscribe: ["other"] },
  ];
  await using stage = serveTopics(HOST, { access: await accessOf(entries) });
  using all = await named(stage, "all");
  using consumer = await named(stage, "consumer");
  using stranger = await named(stage, "stranger");
  await all.done("createTopic", { topic: "t", partitions: 2, replicationFactor: 0 });
  const one = await RawMember.join(consumer);
  assert.deepEqual(await one.sync(), [[0, 1], false]);
  const { member, generation } = one;
  const self = { group: "g", member, generation };
  assert.equal(await stranger.refused("syncGroup", { ...self, held: [] }), 41);
  assert.equal(await stranger.refused("heartbeat", self), 41);
  assert.equal(await stranger.refused("leaveGroup", { group: "g", member }), 41);
  assert.equal(await one.beat(), 0, "nothing has become of it");
  // Of a group that is not there there is nothing to be hidden.
  assert.equal(await stranger.refused("leaveGroup", { group: "h", member }), 20);
  await consumer.done("leaveGroup", { group: "g", member });
});

Deno.test("long lists of groups come whole", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 0 });
  const names = Array.from({ length: 230 }, (_, i) => `g${String(i).padStart(3, "0")}`);
  for (const group of names) {
    const offsets = [{ topic: "t", partition: 0, offset: 1, metadata: "" }];
    await client.done("commitOffsets", { group, generation: 0, member: "", offsets });
  }
  const { groups } = await client.done("listGroups", {});
  assert.deepEqual(groups, names.map((group) => ({ group, generation: 0, members: 0 })));
});
