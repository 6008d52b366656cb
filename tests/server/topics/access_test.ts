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
