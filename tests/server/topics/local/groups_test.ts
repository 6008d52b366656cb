/**
 * Members of groups in the programs around agents, at a server that leads and at one that does not; and that closing ends when
 * nobody answers.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TopicConsumer, TopicMessage } from "../../../../mod.ts";
import type { Agent } from "../../../../server/agent/agent.ts";
import { AgentTopics } from "../../../../server/topics/local/local.ts";
import { eventually } from "../../../support/agents.ts";
import { folder, leaderOf, threeServers } from "../../../support/replica/agents.ts";
import { MemoryTopics } from "../../../support/topics/memory_topics.ts";

const OPTIONS = { group: "g", sessionTimeoutMs: 3_000, autoCommitMs: 50 } as const;
const LIMIT_MS = 15_000;

Deno.test("members at several servers share partitions, and go on when the one that leads is gone", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const followers = servers.agents.filter(({ config }) => config.nodeName !== name) as Agent[];
  const { topics } = followers[0] as Agent;
  await topics.createTopic("t", { partitions: 4 });
  await using producer = topics.producer({ idempotent: true });
  const seen: TopicMessage[] = [];
  const read = async (consumer: TopicConsumer): Promise<void> => {
    for await (const message of consumer) seen.push(message);
  };
  await using first = topics.consumer("t", OPTIONS);
  await using second = (followers[1] as Agent).topics.consumer("t", OPTIONS);
  const reading = [read(first), read(second)];
  const share = () => [first, second].map(({ assignment }) => assignment.length);
  await eventually("they share", () => share().join() === "2,2", LIMIT_MS);
  const { members } = await topics.describeGroup("g");
  assert.deepEqual(
    members.map(({ client }) => client).sort(),
    followers.map(({ config }) => config.nodeName).sort(),
  );
  const send = (from: number) =>
    Promise.all(Array.from({ length: 100 }, (_, i) => {
      return producer.send("t", { value: `${from + i}`, partition: i % 4 });
    }));
  await send(0);
  await servers.end(name);
  await send(100);
  await eventually("all is read", () => seen.length === 200, LIMIT_MS);
  await first.close();
  await eventually("the other one has all", () => second.assignment.length === 4, LIMIT_MS);
  await send(200);
  await eventually("it reads them", () => seen.length === 300, LIMIT_MS);
  await second.close();
  await Promise.all(reading);
  assert.deepEqual(
    seen.map(({ value }) => Number(value?.text())).sort((a, b) => a - b),
    Array.from({ length: 300 }, (_, i) => i),
  );
  const [group] = await (followers[1] as Agent).topics.listGroups();
  assert.deepEqual([group?.name, group?.members], ["g", 0]);
});

/** Topics whose leader says nothing any more once that is wanted. */
function silentTopics(): { topics: AgentTopics; silence(): void } {
  const memory = new MemoryTopics();
  let isSilent = false;
  const topics = new AgentTopics({
    state: {
      askHere(kind, bytes, timeoutMs, done) {
        if (!isSilent) memory.askHere(kind, bytes, timeoutMs, done);
      },
      heard: (member) => memory.heard(member),
      peek: (question) => memory.peek(question),
    },
    messages: memory,
    cluster: memory,
    autoCreate: true,
  });
  return { topics, silence: () => void (isSilent = true) };
}

Deno.test("a consumer of an agent is closed in time when no leader answers", async () => {
  const { topics, silence } = silentTopics();
  await topics.createTopic("t");
  await using producer = topics.producer();
  for (const value of ["a", "b", "c"]) await producer.send("t", { value });
  const plain = topics.consumer("t");
  await plain.fetchOne();
  const far = topics.consumer("t", { start: 99 });
  const member = topics.consumer("t", { ...OPTIONS, autoCommitMs: 60_000, timeoutMs: 400 });
  await member.fetchOne();
  await member.fetchOne();
  const other = topics.consumer("t", { group: "h", partitions: [0], timeoutMs: 400 });
  await other.fetchOne();
  await other.fetchOne();
  const patient = topics.consumer("t", { group: "i", partitions: [0] });
  await patient.fetchOne();
  silence();
  // A commit does not outlast the consumer, however much time it was given.
  const commit = assert.rejects(patient.commit(), { reason: "OVERLOADED" });
  // It asks the leader where to go on.
  assert.equal(await far.fetchOne({ timeoutMs: 30 }), undefined);
  const closing = performance.now();
  await plain.close();
  await far.close();
  assert.ok(performance.now() - closing < 1_000, "nothing is to be waited for");
  await assert.rejects(member.close(), { reason: "REQUEST_TIMEOUT" });
  await assert.rejects(other.close(), { reason: "REQUEST_TIMEOUT" });
  await assert.rejects(patient.close(), { reason: "REQUEST_TIMEOUT" });
  await commit;
  assert.ok(performance.now() - closing < 5_000, "each waits for as long as a request may take");
  await topics.close();
});
