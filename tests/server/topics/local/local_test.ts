/**
 * The topics of an agent for the program around it, on one server and on three.
 *
 * @module
 */

import assert from "node:assert/strict";
import { NoStateError, TopicError, type TopicMessage } from "../../../../mod.ts";
import { TopicClient } from "../../../../client/mod.ts";
import { Agent } from "../../../../server/agent/agent.ts";
import { eventually } from "../../../support/agents.ts";
import { loopback } from "../../../support/loopback.ts";
import {
  folder,
  leaderOf,
  startGateway,
  startServer,
  threeServers,
} from "../../../support/replica/agents.ts";

const HOST = loopback();

/** An agent that is a cluster of one. */
function startDev(): Promise<Agent> {
  const none = { kvAddr: "none", sessionAddr: "none" };
  return Agent.start({
    dev: true,
    nodeName: "one",
    bind: `${HOST}:0`,
    peerAddr: `${HOST}:0`,
    topicsAddr: `${HOST}:0`,
    ...none,
  });
}

const reasonIs = (reason: string) => (error: unknown) =>
  error instanceof TopicError && error.reason === reason;

const textsOf = (messages: readonly TopicMessage[]): string[] =>
  messages.map(({ value }) => value?.text() ?? "null");

Deno.test("a program has topics of its own agent, which clients of the port see as well", async () => {
  await using agent = await startDev();
  const { topics } = agent;
  assert.equal(await topics.createTopic("t", { partitions: 2, retentionMs: 60_000 }), true);
  assert.equal(await topics.createTopic("t", { partitions: 2 }), false);
  await assert.rejects(topics.createTopic("t"), reasonIs("TOPIC_EXISTS"));
  assert.deepEqual(await topics.listTopics(), [{ name: "t", partitions: 2 }]);
  assert.deepEqual((await topics.alterTopic("t", { retentionMs: Infinity })).retentionMs, Infinity);
  await using producer = topics.producer();
  const headers = [["h", "x"], ["h", Uint8Array.of(0xff)]] as const;
  const at = await producer.send("t", { key: "k", value: null, headers, timestamp: 5n });
  await using client = await TopicClient.connect({
    address: agent.state?.addresses.topicsAddr ?? "",
  });
  // The same key belongs to the same partition, whoever asks.
  await using other = client.producer();
  assert.deepEqual(await other.send("t", { key: "k", value: "v" }), { ...at, offset: 1 });
  await using consumer = topics.consumer("t");
  const [first, second] = await consumer.fetch();
  assert.deepEqual([first?.partition, first?.offset, first?.value], [at.partition, 0, null]);
  assert.deepEqual([first?.key?.text(), first?.timestampNs], ["k", 5n]);
  assert.deepEqual(first?.headers.map(([name, value]) => [name, [...value]]), [
    ["h", [0x78]],
    ["h", [0xff]],
  ]);
  assert.equal(second?.value?.text(), "v");
  assert.deepEqual(await topics.offsets("t", at.partition), { start: 0, end: 2 });
  assert.equal(await topics.deleteRecords("t", at.partition, 1), 1);
  assert.deepEqual((await topics.describeTopic("t")).partitions[at.partition]?.start, 1);
  await topics.deleteTopic("t");
  await assert.rejects(topics.describeTopic("t"), reasonIs("TOPIC_NOT_FOUND"));
});

Deno.test("messages that are sent together go together, in order, and are read once", async () => {
  await using agent = await startDev();
  const { topics } = agent;
  await topics.createTopic("t");
  await using producer = topics.producer({ idempotent: true });
  const positions = await Promise.all(
    Array.from({ length: 5_000 }, (_, i) => producer.send("t", { value: `${i}` })),
  );
  assert.deepEqual(positions.map(({ offset }) => offset), positions.map((_, i) => i));
  const { messages, batches, failures, bufferedBytes } = producer.statistics;
  assert.deepEqual([messages, failures, bufferedBytes], [5_000, 0, 0]);
  assert.ok(batches < 10, `${batches}`);
  await using consumer = topics.consumer("t", { maxBytes: 10_000 });
  const read: string[] = [];
  // Two at once get different ones.
  while (read.length < 5_000) {
    const both = await Promise.all([consumer.fetchOne(), consumer.fetch()]);
    read.push(...textsOf(both.flat().filter((one) => one !== undefined)));
  }
  assert.deepEqual(read.map(Number).sort((a, b) => a - b), positions.map((_, i) => i));
  assert.equal(await consumer.fetchOne({ timeoutMs: 20 }), undefined);
  assert.deepEqual([consumer.statistics.lag, consumer.statistics.messages], [0, 5_000]);
});

Deno.test("a consumer waits for messages, goes elsewhere, and is told what is gone", async () => {
  await using agent = await startDev();
  const { topics } = agent;
  await topics.createTopic("t");
  await using producer = topics.producer();
  const send = (value: string) => producer.send("t", { value });
  await using consumer = topics.consumer("t", { start: "latest" });
  assert.equal(await consumer.position(0), 0);
  const next = consumer.fetchOne();
  const sentAt = performance.now();
  await send("a");
  assert.equal((await next)?.value?.text(), "a");
  assert.ok(performance.now() - sentAt < 500, "it is woken");
  await send("b");
  await send("c");
  await consumer.seekToBeginning();
  assert.deepEqual(textsOf([...await consumer.fetch()]), ["a", "b", "c"]);
  await consumer.seek(0, 1);
  assert.equal((await consumer.fetchOne())?.value?.text(), "b");
  const seen = consumer.fetchOne();
  assert.equal((await seen)?.value?.text(), "c");
  const { fetches } = consumer.statistics;
  const again = consumer.fetchOne();
  await eventually("it waits", () => consumer.statistics.fetches > fetches);
  const seekAt = performance.now();
  await consumer.seek(0, 2);
  assert.equal((await again)?.offset, 2);
  assert.ok(performance.now() - seekAt < 500, "it is told");
  await consumer.seekToEnd(0);
  assert.deepEqual([await consumer.position(0), await consumer.endOffset(0)], [3, 3]);
  await topics.deleteRecords("t", 0, 2);
  await consumer.seek(0, 0);
  assert.equal((await consumer.fetchOne())?.value?.text(), "c");
  await using strict = topics.consumer("t", { start: 0, onOutOfRange: "error" });
  await assert.rejects(strict.fetchOne(), reasonIs("OFFSET_OUT_OF_RANGE"));
  await strict.seek(0, "latest");
  const signal = AbortSignal.timeout(30);
  await assert.rejects(strict.fetchOne({ signal }), { name: "TimeoutError" });
});

Deno.test("a group goes on where it was, and closing commits what is done with", async () => {
  await using agent = await startDev();
  const { topics } = agent;
  await topics.createTopic("t");
  await using producer = topics.producer();
  for (const value of ["a", "b", "c", "d"]) await producer.send("t", { value });
  {
    await using consumer = topics.consumer("t", { group: "g" });
    await consumer.fetchOne();
    await consumer.fetchOne();
    // The second one is not done with.
  }
  assert.deepEqual(await topics.committedOffsets("g"), [{ topic: "t", partition: 0, offset: 1 }]);
  {
    await using consumer = topics.consumer("t", { group: "g", autoCommitMs: 0 });
    assert.equal((await consumer.fetchOne())?.value?.text(), "b");
    await consumer.commit();
    await consumer.fetchOne();
  }
  await using consumer = topics.consumer("t", { group: "g", autoCommitMs: 10 });
  assert.equal((await consumer.fetchOne())?.value?.text(), "c");
  const rest = consumer.fetch();
  assert.deepEqual(textsOf(await rest), ["d"]);
  const waiting = consumer.fetchOne({ timeoutMs: 5_000 });
  await eventually("it is committed by itself", async () => {
    return (await topics.committedOffsets("g"))[0]?.offset === 4;
  });
  await producer.send("t", { value: "e" });
  await waiting;
});

Deno.test("where a group of an agent's program began is kept, also when it has read nothing", async () => {
  await using agent = await startDev();
  const { topics } = agent;
  await topics.createTopic("t");
  await using producer = topics.producer();
  await producer.send("t", { value: "before" });
  {
    await using consumer = topics.consumer("t", { group: "g", start: "latest" });
    assert.equal(await consumer.position(0), 1);
    assert.equal(await consumer.fetchOne({ timeoutMs: 20 }), undefined);
  }
  await producer.send("t", { value: "meanwhile" });
  await using consumer = topics.consumer("t", { group: "g", start: "latest" });
  assert.equal((await consumer.fetchOne())?.value?.text(), "meanwhile");
});

Deno.test("what a program must not do is refused, and nothing is left when the agent ends", async () => {
  const agent = await startDev();
  const { topics } = agent;
  const producer = topics.producer({ bufferBytes: 1_000 });
  await assert.rejects(producer.send("a b", { value: "" }), TypeError);
  const large = new Uint8Array(4 * 1024 * 1024 + 1);
  await assert.rejects(producer.send("t", { value: large }), reasonIs("MESSAGE_TOO_LARGE"));
  const sent = [producer.send("t", { value: new Uint8Array(1_500) })];
  await assert.rejects(
    producer.send("t", { value: new Uint8Array(600) }),
    reasonIs("OVERLOADED"),
  );
  await producer.ready();
  sent.push(producer.send("t", { value: "after" }));
  await Promise.all(sent);
  await assert.rejects(
    producer.send("t", { value: "", partition: 7 }),
    reasonIs("PARTITION_NOT_FOUND"),
  );
  const consumer = topics.consumer("t", { start: "latest" });
  const waiting = (async () => {
    for await (const message of consumer) return message;
  })();
  await consumer.position(0);
  const last = producer.send("t", { value: "last", partition: 7 });
  await Promise.all([
    assert.rejects(last, TopicError),
    agent.shutdown(),
  ]);
  assert.equal(await waiting, undefined);
  await assert.rejects(producer.send("t", { value: "" }), reasonIs("OVERLOADED"));
  assert.throws(() => topics.producer(), TopicError);

  await using plain = await Agent.start({ bind: `${HOST}:0` });
  assert.throws(() => plain.topics, NoStateError);
});

Deno.test("any of three servers does, and all is there once when the one that leads goes", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const follower = servers.agents.find(({ config }) => config.nodeName !== name) as Agent;
  await using gateway = await startGateway("gateway", servers.agents);
  assert.throws(() => gateway.topics, NoStateError);
  const { topics } = follower;
  await topics.createTopic("t", { partitions: 3 });
  await using producer = topics.producer({ idempotent: true });
  const seen: string[] = [];
  await using consumer = topics.consumer("t", { group: "g" });
  const reading = (async () => {
    for await (const { value } of consumer) if (seen.push(value?.text() ?? "") === 600) break;
  })();
  const send = (from: number) =>
    Promise.all(Array.from({ length: 300 }, (_, i) => {
      return producer.send("t", { key: `${i % 20}`, value: `${from + i}` });
    }));
  await send(0);
  const ending = servers.end(name);
  await send(300);
  await ending;
  await reading;
  assert.deepEqual(
    seen.map(Number).sort((a, b) => a - b),
    Array.from({ length: 600 }, (_, i) => i),
  );
});

Deno.test("a server that is behind is waited for, and what is there is not taken for gone", async () => {
  await using data = await folder();
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  const { topics } = agent;
  await topics.createTopic("t");
  await using consumer = topics.consumer("t", { start: 5 });
  await using producer = topics.producer();
  for (let i = 0; i < 5; i++) await producer.send("t", { value: `${i}` });
  const next = consumer.fetchOne();
  await producer.send("t", { value: "5" });
  assert.equal((await next)?.offset, 5);
});
