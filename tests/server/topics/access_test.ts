/**
 * Who may do what at a topics port that has tokens.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KINDS } from "../../../protocol/topics/layouts.ts";
import type { RequestKind } from "../../../protocol/topics/mod.ts";
import { accessOf } from "../../support/kv/access.ts";
import { loopback } from "../../support/loopback.ts";
import { fetching, producing } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";
import { sampleOf } from "../../support/topics/samples.ts";

const HOST = loopback();

const ENTRIES = [
  { name: "all", read: ["^"], write: ["^"], publish: ["^"], subscribe: ["^"] },
  { name: "producer", publish: ["orders"] },
  { name: "consumer", subscribe: ["orders"] },
  { name: "maker", write: ["orders"], publish: ["orders"] },
];

Deno.test("before a token is shown nothing but the health is told, whatever is asked", async () => {
  await using stage = serveTopics(HOST, { access: await accessOf(ENTRIES) });
  const kinds = Object.keys(KINDS).filter((kind) => kind !== "hello") as RequestKind[];
  assert.ok(kinds.length > 12);
  for (const kind of kinds) {
    // The sixteenth on one connection would be the last.
    using stranger = await stage.client();
    const answer = await stranger.ask(kind, sampleOf(kind));
    if (kind === "healthCheck") assert.ok(!("code" in answer));
    else assert.equal("code" in answer && answer.code, 40, kind);
  }
  assert.equal(stage.topics.commands, 0);
  assert.equal(stage.topics.peeks, 0);
  using client = await stage.client();
  const welcome = await client.done("hello", { client: "c", token: "all-token" });
  assert.deepEqual(welcome, { serverId: "alpha", clusterId: "c1", features: 1 });
  await client.done("produce", producing("t", ["a"]));
});

Deno.test("a wrong token is refused, and the sixteenth ends the connection", async () => {
  await using stage = serveTopics(HOST, { access: await accessOf(ENTRIES) });
  using client = await stage.client();
  for (let i = 0; i < 15; i++) {
    assert.equal(await client.refused("hello", { client: "c", token: "wrong" }), 40);
  }
  await client.post("hello", { client: "c", token: "wrong" });
  assert.deepEqual((await client.end()).map(({ code }) => code), [40]);
});

Deno.test("a token of another one takes the rights of the first away", async () => {
  await using stage = serveTopics(HOST, { access: await accessOf(ENTRIES) });
  using client = await stage.client();
  await client.done("hello", { client: "c", token: "all-token" });
  await client.done("produce", producing("orders", ["a"]));
  assert.equal(await client.refused("hello", { client: "c", token: "wrong" }), 40);
  assert.equal(await client.refused("produce", producing("orders", ["a"])), 40);
});

Deno.test("a token allows what its entry says: to produce, to consume, to make topics", async () => {
  await using stage = serveTopics(HOST, { access: await accessOf(ENTRIES) });
  const clientOf = async (name: string) => {
    const client = await stage.client();
    await client.done("hello", { client: "c", token: `${name}-token` });
    return client;
  };
  using producer = await clientOf("producer");
  using consumer = await clientOf("consumer");
  using maker = await clientOf("maker");
  using all = await clientOf("all");
  // To make a topic by producing is to make a topic.
  assert.equal(await producer.refused("produce", producing("orders", ["a"])), 8);
  await maker.done("produce", producing("orders", ["a"]));
  await all.done("produce", producing("secret", ["x"]));
  await producer.done("produce", producing("orders", ["b"]));
  assert.equal(await producer.refused("produce", producing("secret", ["b"])), 41);
  assert.equal(await producer.refused("fetch", fetching("orders", 0)), 41);
  assert.equal(await producer.refused("deleteTopic", { topic: "orders" }), 41);
  assert.equal(await consumer.refused("produce", producing("orders", ["c"])), 41);
  assert.equal((await consumer.done("fetch", fetching("orders", 0))).messages.count, 2);
  assert.equal(await consumer.refused("fetch", fetching("secret", 0)), 41);
  assert.equal(await consumer.refused("getOffset", { topic: "secret", partition: 0 }), 41);
  const commit = (topic: string) => ({
    group: "g",
    generation: 0,
    member: "",
    offsets: [{ topic, partition: 0, offset: 1, metadata: "" }],
  });
  await consumer.done("commitOffsets", commit("orders"));
  await all.done("commitOffsets", commit("secret"));
  assert.equal(await consumer.refused("commitOffsets", commit("secret")), 41);
  // Nobody is told of what is not for it.
  for (const client of [producer, consumer, maker]) {
    const { topics } = await client.done("listTopics", {});
    assert.deepEqual(topics.map(({ name }) => name), ["orders"]);
    const metadata = await client.done("metadata", { topics: ["orders", "secret"] });
    assert.deepEqual(metadata.topics.map(({ name }) => name), ["orders"]);
    assert.equal(await client.refused("describeTopic", { topic: "secret" }), 41);
  }
  const { offsets } = await consumer.done("fetchOffsets", { group: "g", partitions: [] });
  assert.deepEqual(offsets.map(({ topic }) => topic), ["orders"]);
  await maker.done("deleteRecords", { topic: "orders", partition: 0, offset: 1 });
  await maker.done("deleteTopic", { topic: "orders" });
});

Deno.test("a transaction needs the right to each topic that it appends to, and to each whose offsets it commits", async () => {
  await using stage = serveTopics(HOST, {
    access: await accessOf([
      ...ENTRIES,
      { name: "worker", publish: ["bills"], subscribe: ["orders"] },
    ]),
  });
  const clientOf = async (name: string) => {
    const client = await stage.client();
    await client.done("hello", { client: "c", token: `${name}-token` });
    return client;
  };
  using all = await clientOf("all");
  for (const topic of ["orders", "bills", "secret"]) {
    await all.done("createTopic", { topic, partitions: 1, replicationFactor: 0 });
  }
  const { parts: [part] } = sampleOf("transact");
  assert.ok(part !== undefined);
  const to = (...topics: string[]) => topics.map((topic) => ({ ...part, topic }));
  const of = (...topics: string[]) =>
    topics.map((topic) => ({ topic, partition: 0, offset: 1, metadata: "", expected: -2 }));
  const request = (parts: ReturnType<typeof to>, offsets: ReturnType<typeof of>) => {
    return { ...sampleOf("transact"), parts, offsets, group: offsets.length > 0 ? "g" : "" };
  };
  using worker = await clientOf("worker");
  using producer = await clientOf("producer");
  using consumer = await clientOf("consumer");
  const before = stage.topics.commands;
  for (
    const [client, parts, offsets] of [
      [worker, to("bills", "secret"), of("orders")],
      [worker, to("bills"), of("orders", "secret")],
      [worker, to("bills"), of("bills")],
      [worker, to("orders"), []],
      [worker, [], of("bills")],
      [producer, to("orders"), of("orders")],
      [producer, to("orders", "bills"), []],
      [consumer, to("orders"), of("orders")],
      [consumer, [], of("orders", "bills")],
    ] as const
  ) {
    assert.equal(await client.refused("transact", request([...parts], [...offsets])), 41);
  }
  assert.equal(stage.topics.commands, before);
  await worker.done("transact", request(to("bills"), of("orders")));
  await producer.done("transact", request(to("orders"), []));
  await consumer.done("transact", request([], of("orders")));
  // To make a topic is another right.
  await all.done("deleteTopic", { topic: "bills" });
  assert.equal(await worker.refused("transact", request(to("bills"), of("orders"))), 8);
  assert.equal(await worker.refused("transact", request([], [])), 2);
  const { topics } = await all.done("listTopics", {});
  assert.deepEqual(topics.map(({ name }) => name), ["orders", "secret"]);
});

Deno.test("where nobody has to show a token, one that is shown is wrong", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("hello", { client: "c", token: "" });
  assert.equal(await client.refused("hello", { client: "c", token: "all-token" }), 40);
  await client.done("produce", producing("t", ["a"]));
});

Deno.test("who is silent before it has shown a token is disconnected, and who is taken off the list", async () => {
  const access = await accessOf(ENTRIES);
  await using stage = serveTopics(HOST, { access, strangerLimitMs: 300 });
  using silent = await stage.client();
  using known = await stage.client();
  await known.done("hello", { client: "c", token: "all-token" });
  assert.deepEqual(await silent.end(), []);
  await known.done("produce", producing("t", ["a"]));
  access.replace([]);
  stage.port.recheck();
  assert.deepEqual(await known.end(), []);
});

Deno.test("a stranger sends no more than it needs for a token", async () => {
  await using stage = serveTopics(HOST, { access: await accessOf(ENTRIES) });
  using client = await stage.client();
  await client.send(Uint8Array.of(0, 0x80, 0, 0, ...new Uint8Array(20_000)));
  assert.deepEqual(await client.end(), []);
});
