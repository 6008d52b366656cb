/**
 * Transactions of members of a group, which get and lose partitions.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient, type TopicMessage, type TopicProducer } from "../../../client/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();

/** Heartbeats come three times a second. */
const QUICK = { group: "g", sessionTimeoutMs: 1_000, autoCommitMs: 0 } as const;

Deno.test("a partition that comes back before it was committed is delivered twice, and written once", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await client.createTopic("in", { partitions: 2 });
  await using producer = client.producer();
  const inputs = Array.from({ length: 6 }, (_, i) => {
    return { topic: "in", value: `${i}`, partition: i % 2 };
  });
  await producer.transact({ messages: inputs });
  const results = (read: readonly TopicMessage[]) =>
    read.map(({ value }) => ({ topic: "out", value: `${value?.text()}` }));
  const seen: TopicMessage[] = [];
  {
    await using one = client.consumer("in", QUICK);
    while (seen.length < 6) seen.push(...await one.fetch());
    {
      await using other = client.consumer("in", QUICK);
      // What it has delivered is done with once more is asked for.
      const more = one.fetch({ timeoutMs: 10_000 }).then((again) => void seen.push(...again));
      const joining = other.fetchOne();
      await until(() => other.assignment.length === 1);
      await joining;
      await other.close();
      await more;
    }
    while (seen.length < 9) seen.push(...await one.fetch());
    await assert.rejects(
      async () => await producer.transact({ messages: results(seen), offsets: one.progress() }),
      { reason: "REBALANCE_IN_PROGRESS" },
    );
  }
  await using next = client.consumer("in", QUICK);
  for (let read = 0; read < 6;) {
    const messages = await next.fetch();
    read += messages.length;
    await producer.transact({ messages: results(messages), offsets: next.progress() });
  }
  assert.equal((await client.offsets("out", 0)).end, 6);
  const committed = await client.committedOffsets("g");
  assert.deepEqual(committed.map(({ offset }) => offset), [3, 3]);
});

/** Two members that have a partition each, and what the first one has read. */
async function twoMembers(client: TopicClient, producer: TopicProducer) {
  await client.createTopic("in", { partitions: 2 });
  const one = client.consumer("in", { ...QUICK, timeoutMs: 1_000 });
  const other = client.consumer("in", QUICK);
  const reading = [one.fetchOne({ timeoutMs: 10_000 }), other.fetchOne()] as const;
  await until(() => one.assignment.length === 1 && other.assignment.length === 1);
  await producer.transact({
    messages: [0, 1].map((partition) => ({ topic: "in", value: "x", partition })),
  });
  const [first] = await Promise.all(reading);
  return { one, other, messages: [{ topic: "out", value: first?.value?.text() ?? "" }] };
}

Deno.test("a member that gets more partitions while it commits a transaction goes on", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await using producer = client.producer();
  const { one, other, messages } = await twoMembers(client, producer);
  await other.close();
  stage.topics.hold();
  // It hears that the other one is gone, and asks for the rest.
  await until(() => stage.topics.held > 0);
  const done = producer.transact({ messages, offsets: one.progress() });
  const outcome = done.then(() => "done", (error) => error.reason);
  await new Promise((resolve) => setTimeout(resolve, 50));
  stage.topics.release();
  assert.equal(await outcome, "done");
  await until(() => one.assignment.length === 2);
  assert.equal((await one.fetchOne())?.value?.text(), "x");
  await one.close();
});

Deno.test("a member is closed in time while its transaction is on its way, and more partitions are", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await using producer = client.producer();
  const { one, other, messages } = await twoMembers(client, producer);
  await other.close();
  stage.topics.hold();
  const done = producer.transact({ messages, offsets: one.progress() });
  const { peeks } = stage.topics;
  await until(() => stage.topics.held > 0 && stage.topics.peeks > peeks + 2);
  let isClosed = false;
  const closed = one.close().then(() => isClosed = true);
  await until(() => isClosed).finally(() => stage.topics.release());
  await Promise.all([done, closed]);
});
