/**
 * Reading from a time on, by a client and inside of an agent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient, type TopicConsumer, type TopicStart } from "../../../client/mod.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();
const NOON = Date.parse("2026-11-27T12:00:00Z");

/** An agent with a topic whose timestamps rise and fall: minutes around noon. */
async function start(): Promise<{ agent: Agent; client: TopicClient }> {
  const agent = await Agent.start({
    dev: true,
    nodeName: "one",
    bind: `${HOST}:0`,
    peerAddr: `${HOST}:0`,
    topicsAddr: `${HOST}:0`,
    kvAddr: "none",
    sessionAddr: "none",
  });
  const client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
  await using producer = client.producer();
  for (const minute of [-5, 10, 0, 20, -20]) {
    await producer.send("t", { value: `${minute}`, timestamp: NOON + minute * 60_000 });
  }
  return { agent, client };
}

const minutes = (count: number): Date => new Date(NOON + count * 60_000);

Deno.test("the first message of a time is told to clients, and to the program around an agent", async () => {
  const { agent, client } = await start();
  await using _agent = agent;
  await using _client = client;
  for (const topics of [client, agent.topics]) {
    assert.equal(await topics.offsetAt("t", 0, minutes(0)), 1);
    assert.equal(await topics.offsetAt("t", 0, NOON + 600_000), 1);
    assert.equal(await topics.offsetAt("t", 0, NOON + 600_000.5), 3);
    assert.equal(await topics.offsetAt("t", 0, minutes(21)), undefined);
    for (const wrong of [new Date(NaN), NaN, Infinity, "noon", 5n, undefined] as never[]) {
      await assert.rejects(topics.offsetAt("t", 0, wrong), TypeError);
    }
    await assert.rejects(topics.offsetAt("t", 0, -1), RangeError);
    await assert.rejects(topics.offsetAt("t", 0, 1e16), RangeError);
  }
  assert.equal(await client.offsetAt("t", 0, 0), 0);
  await client.deleteRecords("t", 0, 2);
  assert.equal(await client.offsetAt("t", 0, 0), 2);
  assert.equal(await agent.topics.offsetAt("t", 0, NOON + 1), 3);
});

Deno.test("consumers begin with, and go to, the first message of a time, or what comes when there is none", async () => {
  const { agent, client } = await start();
  await using _agent = agent;
  await using _client = client;
  const begin: readonly ((start: TopicStart) => TopicConsumer)[] = [
    (start) => client.consumer("t", { start }),
    (start) => agent.topics.consumer("t", { start }),
  ];
  for (const consumerFrom of begin) {
    await using consumer = consumerFrom({ time: minutes(11) });
    assert.equal((await consumer.fetchOne())?.offset, 3);
    await consumer.seek(0, { time: NOON });
    assert.equal(await consumer.position(0), 1);
    assert.equal((await consumer.fetchOne())?.value?.text(), "10");
    await using other = consumerFrom({ time: minutes(60) });
    const end = await other.position(0);
    assert.equal(end, await other.endOffset(0));
    await using producer = client.producer();
    await producer.send("t", { value: "old", timestamp: NOON - 3_600_000 });
    assert.equal((await other.fetchOne())?.offset, end);
    const wrong = [{ time: "noon" }, { time: new Date(NaN) }, {}, null, { at: 5 }] as never[];
    for (const start of wrong) {
      assert.throws(() => consumerFrom(start), TypeError);
      await assert.rejects(consumer.seek(0, start), TypeError);
    }
    assert.throws(() => consumerFrom({ time: -1 }), RangeError);
  }
});
