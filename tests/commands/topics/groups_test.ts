/**
 * `skein topic groups` in this process, and `skein topic consume -g` beside other members.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient } from "../../../client/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import { addressOf, topicAt } from "../../support/topics/command.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

Deno.test("groups are listed, and one is told of with its members and where it is", async () => {
  await using stage = serveTopics(HOST);
  const address = addressOf(stage);
  const topic = topicAt(address);
  assert.deepEqual(await topic("groups"), [0, "There are no groups\n", ""]);
  const [code, stdout, stderr] = await topic("groups", "none");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^Error: /);
  await topic("create", "-partitions=2", "t");
  await using client = await TopicClient.connect({ address, name: "tester" });
  await using producer = client.producer();
  for (const value of ["a", "b", "c"]) await producer.send("t", { value, partition: 1 });
  const consumer = client.consumer("t", { group: "g", autoCommitMs: 0 });
  for (let i = 0; i < 2; i++) await consumer.fetchOne();
  await consumer.commit();
  const { generation } = await client.describeGroup("g");
  assert.deepEqual(await topic("groups"), [
    0,
    `Group  Members  Generation\ng      1        ${generation}\n`,
    "",
  ]);
  assert.deepEqual(await topic("groups", "g"), [
    0,
    `Group       g
Generation  ${generation}

Member    Client  Generation  Partitions
member-1  tester  ${generation}           2

Topic  Partition  Start  End  Committed  Lag  Member
t      0          0      0    0          0    member-1
t      1          0      3    2          1    member-1
`,
    "",
  ]);
  const [, json] = await topic("groups", "-format=json", "g");
  assert.deepEqual(JSON.parse(json).partitions[1], {
    topic: "t",
    partition: 1,
    start: 0,
    end: 3,
    committed: 2,
    lag: 1,
    member: "member-1",
  });
  await consumer.close();
  const [, after] = await topic("groups", "g");
  assert.match(after, /\n\nIt has no members\n\n(?:.*\n)+t +1 +0 +3 +2 +1 +-\n$/);
});

Deno.test("a group with members does not go on elsewhere by a command, which says so", async () => {
  await using stage = serveTopics(HOST);
  const address = addressOf(stage);
  const topic = topicAt(address);
  await topic("create", "t");
  await using client = await TopicClient.connect({ address });
  await using producer = client.producer();
  await producer.send("t", { value: "a" });
  const consumer = client.consumer("t", { group: "g" });
  await consumer.fetchOne();
  await consumer.commit();
  const told = "Error: Group 'g' has members: end their programs before\n";
  assert.deepEqual(await topic("seek", "-g=g", "t", "earliest"), [1, "", told]);
  const [place] = await client.committedOffsets("g");
  assert.equal(place?.offset, 1);
  await consumer.close();
  assert.equal((await topic("seek", "-g=g", "t", "earliest"))[0], 0);
});

Deno.test("who reads one partition for a group is told that others share it, and who shares prints the rest", async () => {
  await using stage = serveTopics(HOST);
  const address = addressOf(stage);
  const topic = topicAt(address);
  await topic("create", "-partitions=2", "t");
  await using client = await TopicClient.connect({ address });
  await using producer = client.producer();
  for (const partition of [0, 1]) await producer.send("t", { value: `${partition}`, partition });
  const consumer = client.consumer("t", { group: "g", sessionTimeoutMs: 1_000, autoCommitMs: 0 });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { value } of consumer) seen.push(value?.text() ?? "");
  })();
  await until(() => seen.length === 2);
  // It is not committed: whoever reads partition 0 for the group has something to commit.
  const [code, stdout, stderr] = await topic("consume", "-g=g", "-partition=0", "t");
  assert.equal(code, 1);
  assert.match(`${stdout}|${stderr}`, /\|Error: /);
  await consumer.commit();
  // It waits until the group has read all, whoever does that.
  assert.deepEqual((await topic("consume", "-g=g", "t"))[0], 0);
  await consumer.close();
  await reading;
  assert.deepEqual(new Set(seen), new Set(["0", "1"]));
  assert.deepEqual((await client.committedOffsets("g")).map(({ offset }) => offset), [1, 1]);
});
