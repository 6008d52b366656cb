/**
 * Transactions of programs, at a port and at servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  OutcomeUnknownError,
  TopicClient,
  type TopicConsumer,
  TopicError,
  type TopicProducer,
} from "../../../client/mod.ts";
import { CODE } from "../../../protocol/topics/mod.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";
import { below } from "../../support/random_value.ts";
import { folder, leaderOf, threeServers } from "../../support/replica/agents.ts";
import { Relay } from "../../support/replica/relay.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { RawTopics } from "../../support/topics/raw_client.ts";
import { sampleOf } from "../../support/topics/samples.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

const reasonIs = (reason: string) => (error: unknown) =>
  error instanceof TopicError && error.reason === reason;

/** What makes producers and consumers: a client, or an agent. */
interface Topics {
  createTopic(topic: string, options: { readonly partitions: number }): Promise<boolean>;
  offsets(topic: string, partition: number): Promise<{ readonly end: number }>;
  committedOffsets(
    group: string,
  ): Promise<{ readonly partition: number; readonly offset: number }[]>;
  producer(): TopicProducer;
  consumer(
    topic: string,
    options?: { group?: string; autoCommitMs?: number; partitions?: number[] },
  ): TopicConsumer;
}

/** The texts of all messages of a topic, those of each partition in order. */
async function textsOf(topics: Topics, topic: string, partitions: number): Promise<string[][]> {
  const all = Array.from({ length: partitions }, (): string[] => []);
  let left = 0;
  for (let i = 0; i < partitions; i++) left += (await topics.offsets(topic, i)).end;
  await using consumer = topics.consumer(topic);
  for (; left > 0; left--) {
    const { partition, value } = await consumer.fetchOne() ?? assert.fail("a message is missing");
    all[partition]?.push(value?.text() ?? "");
  }
  return all;
}

/** Reads, writes, and is refused, as a program does. */
async function readProcessWrite(topics: Topics): Promise<void> {
  await topics.createTopic("in", { partitions: 2 });
  await topics.createTopic("out", { partitions: 3 });
  await using producer = topics.producer();
  const inputs = Array.from(
    { length: 6 },
    (_, i) => ({ topic: "in", value: `${i}`, partition: i % 2 }),
  );
  assert.deepEqual(
    await producer.transact({ messages: [...inputs, { topic: "log", value: "begin" }] }),
    [...inputs.map(({ partition }, i) => ({ partition, offset: i >> 1 })), {
      partition: 0,
      offset: 0,
    }],
  );
  const group = { group: "g", autoCommitMs: 0, partitions: [0, 1] };
  await using slow = topics.consumer("in", group);
  await slow.fetchOne();
  {
    await using consumer = topics.consumer("in", group);
    for (let read = 0; read < 6;) {
      const messages = await consumer.fetch();
      read += messages.length;
      const results = messages.flatMap(({ value }) => [
        { topic: "out", key: value?.text() ?? "", value: `${value?.text()} doubled` },
        { topic: "log", value: `${value?.text()} was read` },
      ]);
      const offsets = consumer.progress();
      assert.equal(
        (await producer.transact({ messages: results, offsets })).length,
        results.length,
      );
      assert.deepEqual(consumer.progress().offsets, []);
    }
  }
  const committed = await topics.committedOffsets("g");
  assert.deepEqual(committed.map(({ partition, offset }) => [partition, offset]).sort(), [[0, 3], [
    1,
    3,
  ]]);
  // Another one has read the same, and is too late.
  const again = { messages: [{ topic: "out", value: "again" }], offsets: slow.progress() };
  await assert.rejects(producer.transact(again), reasonIs("TRANSACTION_ABORTED"));
  const missing = [{ topic: "out", value: "x" }, { topic: "out", partition: 7, value: "y" }];
  await assert.rejects(producer.transact({ messages: missing }), (error) => {
    return reasonIs("PARTITION_NOT_FOUND")(error) && /'out\/7'/.test((error as Error).message);
  });
  const out = (await textsOf(topics, "out", 3)).flat().sort();
  assert.deepEqual(out, ["0", "1", "2", "3", "4", "5"].map((text) => `${text} doubled`));
  assert.equal((await textsOf(topics, "log", 1)).flat().length, 7);
  // What is refused takes no sequence: the next one follows.
  const last = await producer.transact({ messages: [{ topic: "log", value: "end" }] });
  assert.deepEqual(last, [{ partition: 0, offset: 7 }]);
  const id = { topic: "log", id: "once", value: "once" };
  const both = await producer.transact({ messages: [id, id] });
  assert.deepEqual(both, [{ partition: 0, offset: 8 }, {
    partition: 0,
    offset: 8,
    duplicate: true,
  }]);
}

Deno.test("a client reads, writes and commits in one step", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await readProcessWrite(client);
});

Deno.test("a program does the same with its agent", async () => {
  const none = { kvAddr: "none", sessionAddr: "none", topicsAddr: "none" };
  const addresses = { bind: `${HOST}:0`, peerAddr: `${HOST}:0`, ...none };
  await using agent = await Agent.start({ dev: true, nodeName: "one", ...addresses });
  await readProcessWrite(agent.topics);
});

Deno.test("what is wrong in a transaction is said before anything is asked", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await using producer = client.producer();
  await assert.rejects(producer.transact({}), reasonIs("INVALID_REQUEST"));
  await assert.rejects(producer.transact({ messages: [{ topic: ".", value: "" }] }), TypeError);
  const value = new Uint8Array(3 * 1024 * 1024);
  const large = Array.from({ length: 4 }, () => ({ topic: "t", value }));
  await assert.rejects(producer.transact({ messages: large }), reasonIs("MESSAGE_TOO_LARGE"));
  await client.createTopic("t");
  await using lone = client.consumer("t");
  assert.throws(() => lone.progress(), TypeError);
  await using busy = client.consumer("t", { group: "g" });
  assert.throws(() => busy.progress(), TypeError);
  await producer.close();
  await assert.rejects(producer.transact({ messages: [{ topic: "t", value: "" }] }), Error);
});

Deno.test("the port refuses what is too much or wrong, and names the part", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const sample = sampleOf("transact");
  const [part] = sample.parts;
  assert.ok(part !== undefined);
  const offset = { topic: "t", partition: 0, offset: 1, metadata: "", expected: -1 };
  const refused = async (change: Partial<typeof sample>, code: number, text: RegExp) => {
    const answer = await client.ask("transact", { ...sample, ...change });
    assert.ok("code" in answer, "it is refused");
    assert.equal(answer.code, code, answer.message);
    assert.match(answer.message, text);
  };
  await refused({ parts: [] }, 2, /got neither/);
  await refused({ parts: [part, part] }, 2, /'partition of t\/0'/);
  await refused({ parts: [part, { ...part, topic: "u", partition: 3 }] }, 5, /'u\/3'/);
  await refused({ offsets: [offset] }, 2, /'group'/);
  await refused({ offsets: [offset], group: "g" }, 8, /'t\/0'/);
  await refused({ offsets: [offset], group: "g", member: "member-1", generation: 1 }, 20, /./);
  await refused(
    { parts: [], offsets: [{ ...offset, metadata: "x".repeat(4_097) }], group: "g" },
    8,
    /./,
  );
  const many = Array.from({ length: 1_024 }, (_, partition) => ({ ...part, partition }));
  await refused({ parts: many, offsets: [offset], group: "g" }, 2, /1025 partitions/);
  await refused({ producerId: 5 }, 32, /'t\/0'/);
  assert.equal((await client.done("listTopics", {})).topics.length, 0);
  await client.done("transact", sample);
  await refused(
    { offsets: [{ ...offset, expected: 0 }], group: "g" },
    CODE.TRANSACTION_ABORTED,
    /'t\/0'/,
  );
  const long = [{ ...offset, metadata: "x".repeat(4_097) }];
  await refused({ offsets: long, group: "g" }, 26, /'t\/0'/);
  await client.done("transact", { ...sample, offsets: [offset], group: "g" });
  const { highWaterMark } = await client.done("getOffset", { topic: "t", partition: 0 });
  assert.equal(highWaterMark, 2);
});

Deno.test("each transaction is done once, however often its answer is lost", async () => {
  const random = new SeededRandom(SEED);
  await using stage = serveTopics(HOST);
  const { hostname: host, port } = stage.port.address;
  await using relay = new Relay(HOST, { host, port });
  let isBad = false;
  let cuts = 0;
  relay.bend = (chunk) => {
    if (isBad && below(random, 3) === 0) {
      cuts++;
      queueMicrotask(() => relay.hangUp());
      if (below(random, 3) === 0) return [chunk.subarray(0, chunk.length >> 1)];
    }
    return [chunk];
  };
  const address = `${relay.address.host}:${relay.address.port}`;
  const retry = { minDelayMs: 1, maxDelayMs: 20 };
  await using client = await TopicClient.connect({ address, retry });
  await client.createTopic("t", { partitions: 2 });
  await client.createTopic("in", { partitions: 1 });
  await using producer = client.producer();
  await producer.transact({
    messages: Array.from({ length: 200 }, (_, i) => ({ topic: "in", value: `${i}` })),
  });
  await using consumer = client.consumer("in", { group: "g", autoCommitMs: 0, partitions: [0] });
  isBad = true;
  let read = 0;
  for (; read < 200 || cuts < 10; read++) {
    const message = read < 200 ? await consumer.fetchOne() : undefined;
    const value = message?.value?.text() ?? `${read}`;
    const messages = [{ topic: "t", partition: 0, value }, { topic: "t", partition: 1, value }];
    await producer.transact({ messages, ...message && { offsets: consumer.progress() } });
  }
  isBad = false;
  const expected = Array.from({ length: read }, (_, i) => `${i}`);
  assert.deepEqual(await textsOf(client, "t", 2), [expected, expected], `seed ${SEED}`);
  assert.equal((await client.committedOffsets("g"))[0]?.offset, 200);
});

Deno.test("who was overtaken while its request was lost hears that nothing of it was done", async () => {
  await using stage = serveTopics(HOST);
  const { hostname: host, port } = stage.port.address;
  await using relay = new Relay(HOST, { host, port });
  await using quick = await TopicClient.connect({ address: `${host}:${port}` });
  const address = `${relay.address.host}:${relay.address.port}`;
  await using slow = await TopicClient.connect({ address });
  await quick.createTopic("in");
  const group = { group: "g", autoCommitMs: 0, partitions: [0] };
  await using first = quick.producer();
  await using second = slow.producer();
  await second.transact({ messages: [{ topic: "in", value: "x" }, { topic: "out", value: "-" }] });
  await using one = quick.consumer("in", group);
  await using other = slow.consumer("in", group);
  await Promise.all([one.fetchOne(), other.fetchOne()]);
  const written = (value: string, offsets: ReturnType<typeof one.progress>) => {
    return { messages: [{ topic: "out", value }], offsets };
  };
  let overtaking: Promise<unknown> | undefined;
  relay.bend = (chunk) => {
    if (overtaking !== undefined) return [chunk];
    overtaking = first.transact(written("quick", one.progress())).finally(() => relay.hangUp());
    return [];
  };
  const late = second.transact(written("slow", other.progress()));
  await assert.rejects(late, reasonIs("TRANSACTION_ABORTED"));
  await overtaking;
  await second.transact({ messages: [{ topic: "out", value: "later" }] });
  assert.deepEqual(await textsOf(quick, "out", 1), [["-", "quick", "later"]]);
});

Deno.test("a transaction that comes again is known to the next leader too", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const sample = sampleOf("transact");
  const first = await (async () => {
    using client = await RawTopics.open(servers.at(name));
    const { producerId } = await client.done("initProducer", { transactionalId: "" });
    await client.done("createTopic", { topic: "in", partitions: 1, replicationFactor: 0 });
    const offset = { topic: "in", partition: 0, offset: 0, metadata: "", expected: -1 };
    const request = { ...sample, producerId, group: "g", offsets: [offset] };
    return { request, reply: await client.done("transact", request) };
  })();
  await servers.end(name);
  using client = await RawTopics.open(servers.at(await leaderOf(servers.agents)));
  const { request, reply } = first;
  assert.deepEqual(await client.done("transact", request), reply);
  // The same by another one is refused.
  const other = await client.ask("transact", { ...request, producerId: 0 });
  assert.ok("code" in other);
  assert.equal(other.code, CODE.TRANSACTION_ABORTED);
  const partition = { topic: "t", partition: 0 };
  assert.equal((await client.done("getOffset", partition)).highWaterMark, 1);
});

Deno.test("without a majority what became of a transaction is not known, and the next one has another identity", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  await using producer = client.producer();
  const messages = [{ topic: "t", value: "x" }];
  await producer.transact({ messages });
  stage.topics.hold();
  await assert.rejects(producer.transact({ messages }, { timeoutMs: 200 }), OutcomeUnknownError);
  stage.topics.release();
  const [position] = await producer.transact({ messages });
  assert.ok((position?.offset ?? 0) >= 1);
});

Deno.test("a producer is closed once its transactions are done", async () => {
  await using stage = serveTopics(HOST);
  const { hostname, port } = stage.port.address;
  await using client = await TopicClient.connect({ address: `${hostname}:${port}` });
  const producer = client.producer();
  let done = 0;
  const messages = [{ topic: "t", value: "x" }];
  const all = [1, 2].map(() => producer.transact({ messages }).then(() => done++));
  await producer.close();
  assert.equal(done, 2);
  await Promise.all(all);
});
