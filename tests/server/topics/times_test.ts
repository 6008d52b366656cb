/**
 * Which message is the first at or after a time, asked at the port.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  createTopicCommand,
  deleteTopicCommand,
  produceCommand,
} from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { rawFrame, str, u32 } from "../../support/topics/frames.ts";
import { encodeMessages, messageOf } from "../../support/topics/messages.ts";
import { answerOf, producing, type RawTopics } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const LATEST = 2n ** 63n - 1n;
const PARTITION = { topic: "t", partition: 0 };
const LARGE = "x".repeat(70_000);

async function at(client: RawTopics, time: bigint): Promise<number> {
  return (await client.done("getOffset", { ...PARTITION, time })).atTime;
}

/** Makes the topic, with segments of so many bytes. */
async function create(client: RawTopics, segmentBytes: number): Promise<void> {
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 0 });
  const rest = { retentionMs: -2, retentionBytes: -2, segmentMs: -2, dedupeMs: -2 };
  await client.done("alterTopic", { topic: "t", settings: { ...rest, segmentBytes } });
}

/** Messages of which the first one has the latest time, and is gone; each is a stretch of its own. */
async function misled(client: RawTopics): Promise<void> {
  await create(client, 1 << 30);
  for (const timestamp of [LATEST, 1n, 2n, 3n, 4n, 5n]) {
    await client.done("produce", producing("t", [messageOf(LARGE, { timestamp })]));
  }
  await client.done("deleteRecords", { ...PARTITION, offset: 1 });
}

Deno.test("the first message of a time is the first of those that are kept, however timestamps rise and fall", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await create(client, 4_096);
  const random = new SeededRandom(SEED);
  const times: bigint[] = [];
  let start = 0;
  for (let round = 0; round < 40; round++) {
    const messages = Array.from({ length: 1 + below(random, 8) }, () => {
      const timestamp = below(random, 60) === 0
        ? LATEST
        : BigInt(1 + 50 * round + below(random, 400));
      times.push(timestamp);
      return messageOf("x".repeat(below(random, 2_000)), { timestamp });
    });
    await client.done("produce", producing("t", messages));
    if (below(random, 8) === 0) {
      start += below(random, times.length - start + 1);
      await client.done("deleteRecords", { ...PARTITION, offset: start });
    }
    for (const time of [0n, BigInt(below(random, 2_500)), BigInt(50 * round), LATEST]) {
      const first = times.findIndex((one, offset) => offset >= start && one >= time);
      assert.equal(await at(client, time), first, `at ${time} ns, seed ${SEED}`);
    }
  }
  const { length } = times;
  assert.deepEqual(await client.done("getOffset", { ...PARTITION, time: undefined }), {
    ...PARTITION,
    start,
    end: length,
    highWaterMark: length,
    atTime: -1,
  });
});

Deno.test("no time is before 1970, and a topic that is not there has none", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  assert.equal(await client.refused("getOffset", { ...PARTITION, time: 5n }), 8);
  await create(client, 4_096);
  assert.equal(await at(client, 0n), -1);
  assert.equal(await client.refused("getOffset", { topic: "t", partition: 1, time: 5n }), 5);
  for (const time of [[0x80, ...Array(7).fill(0)], [...Array(7).fill(0xff), 0xfe]]) {
    await client.send(rawFrame(7, 3, 2, [...str("t"), ...u32(0), ...time]));
    assert.equal((await client.reply(7)).code, 2);
  }
  // The first version asks for none.
  await client.send(rawFrame(8, 3, 1, [...str("t"), ...u32(0)]));
  assert.equal((await client.reply(8)).payload.length, 4 + 1 + 4 + 3 * 8);
  await client.send(rawFrame(9, 3, 2, [...str("t"), ...u32(0)]));
  assert.equal((await client.reply(9)).code, 2);
});

Deno.test("who is misled by what is gone reads stretch by stretch, one of a client at a time", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await misled(client);
  let reads = 0;
  stage.topics.beforeRead = () => Promise.resolve(void reads++);
  const wanted = [...Array(20).keys()].map((i) => 1 + i % 6);
  const ids = [];
  for (const i of wanted) {
    ids.push(await client.post("getOffset", { ...PARTITION, time: BigInt(i) }));
  }
  for (const [i, id] of ids.entries()) {
    const answer = answerOf(await client.reply(id), "getOffset");
    const offset = wanted[i] as number;
    assert.equal("atTime" in answer && answer.atTime, offset < 6 ? offset : -1);
  }
  assert.equal(stage.topics.mostReading, 1);
  assert.ok(reads > 20);
});

Deno.test("a search ends with the time of requests, and with who has asked", async () => {
  await using stage = serveTopics(HOST, { requestLimitMs: 40 });
  using client = await stage.client();
  await misled(client);
  let reads = 0;
  stage.topics.beforeRead = () => {
    reads++;
    return new Promise((resolve) => setTimeout(resolve, 50));
  };
  assert.equal(await client.refused("getOffset", { ...PARTITION, time: 5n }), 6);
  assert.equal(reads, 1);

  await using patient = serveTopics(HOST);
  const gate = Promise.withResolvers<void>();
  using first = await patient.client();
  await misled(first);
  let begun = 0;
  patient.topics.beforeRead = () => {
    begun++;
    return gate.promise;
  };
  const asking = await patient.client();
  await asking.post("getOffset", { ...PARTITION, time: 5n });
  await eventually("it reads", () => begun === 1);
  // No frame is as short: the connection ends.
  await asking.send("00000001");
  await asking.end();
  asking[Symbol.dispose]();
  await eventually("it is gone", () => patient.port.size === 1);
  gate.resolve();
  assert.equal(await at(first, 2n), 2);
  assert.equal(begun, 1 + 2, "the other one reads no further");
});

Deno.test("what goes while it is looked for is looked for again, and what is not there is told", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await misled(client);
  const segments = new Map(stage.topics.segments.all);
  let reads = 0;
  stage.topics.beforeRead = () => {
    if (++reads === 2) stage.topics.segments.all.clear();
    else for (const [name, bytes] of segments) stage.topics.segments.all.set(name, bytes);
    return Promise.resolve();
  };
  assert.equal(await at(client, 4n), 4);
  assert.equal(reads, 5);
  stage.topics.beforeRead = undefined;
  stage.topics.segments.all.clear();
  assert.equal(await client.refused("getOffset", { ...PARTITION, time: 4n }), 7);
});

Deno.test("what is looked for in a topic whose name another one takes meanwhile is looked for there from its beginning on", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await misled(client);
  const topic = encodeUtf8("t");
  const messages = encodeMessages([messageOf("a", { timestamp: 6n })]);
  stage.topics.beforeRead = () => {
    stage.topics.beforeRead = undefined;
    stage.topics.apply(deleteTopicCommand(topic));
    stage.topics.apply(createTopicCommand({ topic, partitions: 1 }));
    stage.topics.apply(produceCommand({ topic, partition: 0, count: 1, messages }));
    return Promise.resolve();
  };
  assert.equal(await at(client, 6n), 0);
});
