/**
 * Many requests at a time, clients that do not read, clients that are silent, and more of them than may be.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../../support/agents.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import { encodeMessages, messageOf } from "../../support/topics/messages.ts";
import {
  answerOf,
  fetching,
  frameOf,
  isRefused,
  producing,
  type RawTopics,
} from "../../support/topics/raw_client.ts";
import { fill } from "../../support/topics/fill.ts";
import { serveTopics } from "../../support/topics/stage.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();
const MiB = 1024 * 1024;

Deno.test("each of many requests at a time is answered once, and produces are done in order", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 2, replicationFactor: 1 });
  const ids = new Set<unknown>();
  const kinds: string[] = [];
  for (let i = 0; i < 600; i++) {
    const partition = i % 2;
    const isFetch = i % 5 === 4;
    kinds.push(isFetch ? "fetch" : "produce");
    ids.add(
      isFetch
        ? await client.post("fetch", fetching("t", -2, { partition }))
        : await client.post("produce", producing("t", [String(i)], { partition })),
    );
  }
  const offsets: number[][] = [[], []];
  for (let i = 0; i < 600; i++) {
    const reply = await client.reply();
    assert.ok(ids.delete(reply.id), `a second reply to ${reply.id}`);
    const at = Number(reply.id) - 1_001;
    if (kinds[at] !== "produce") continue;
    const answer = answerOf(reply, "produce");
    assert.ok(!isRefused(answer));
    (offsets[at % 2] as number[])[at] = answer.baseOffset;
  }
  assert.equal(ids.size, 0);
  for (const some of offsets) {
    const inOrder = some.filter((offset) => offset !== undefined);
    assert.deepEqual(inOrder, [...inOrder.keys()]);
  }
});

Deno.test("no more than 256 requests of a connection are under way, and the others wait", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  stage.topics.hold();
  for (let i = 0; i < 300; i++) await client.post("produce", producing("t", [String(i)]));
  await eventually("as many as may be are taken", () => stage.topics.held === 256);
  using other = await stage.client();
  await other.done("healthCheck", {});
  assert.equal(stage.topics.held, 256);
  stage.topics.release();
  for (let i = 0; i < 300; i++) assert.equal((await client.reply()).code, 0);
});

Deno.test("no more than 16 MiB of requests of a connection are under way", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  stage.topics.hold();
  const bytes = encodeMessages([messageOf("x".repeat(3 * MiB))]);
  const sending = (async () => {
    for (let i = 0; i < 10; i++) {
      await client.post("produce", producing("t", [], { messages: { count: 1, bytes } }));
    }
  })();
  await eventually("as many as may be are taken", () => stage.topics.held === 6);
  using other = await stage.client();
  await other.done("healthCheck", {});
  assert.equal(stage.topics.held, 6);
  stage.topics.release();
  await sending;
  for (let i = 0; i < 10; i++) assert.equal((await client.reply()).code, 0);
});

test("clients that fetch and do not read take no memory without end", async () => {
  await using stage = serveTopics(HOST);
  using first = await stage.client();
  const bytes = encodeMessages(Array(20).fill(messageOf("x".repeat(50_000))));
  for (let i = 0; i < 4; i++) {
    await first.done("produce", producing("t", [], { messages: { count: 20, bytes } }));
  }
  const before = Deno.memoryUsage().rss;
  const stalled: RawTopics[] = [];
  const frame = frameOf(1, "fetch", fetching("t", 0, { maxBytes: 4 * MiB }));
  const frames = new Uint8Array(250 * frame.length);
  for (let i = 0; i < 250; i++) frames.set(frame, i * frame.length);
  for (let i = 0; i < 80; i++) {
    const client = await stage.client();
    stalled.push(client);
    await client.send(frames);
  }
  // Who reads goes on.
  for (let i = 0; i < 5; i++) {
    const { messages } = await first.done("fetch", fetching("t", 0, { maxBytes: 9 }));
    assert.equal(messages.count, 1);
  }
  const took = (Deno.memoryUsage().rss - before) / MiB;
  for (const client of stalled) client[Symbol.dispose]();
  await eventually("their connections end", () => stage.port.size === 1);
  // 75 GiB were asked for. The system itself takes some MiB of each connection.
  assert.ok(took < 350, `${took} MiB`);
});

Deno.test("who wants little of large batches takes no more memory than all clients may", async () => {
  await using stage = serveTopics(HOST);
  using producer = await stage.client();
  const large = messageOf("x".repeat(3 * MiB));
  await producer.done("produce", producing("t", [large, large, "a"]));
  const gate = Promise.withResolvers<void>();
  stage.topics.beforeRead = () => gate.promise;
  const before = stage.topics.peeks;
  const clients: RawTopics[] = [];
  for (let i = 0; i < 60; i++) clients.push(await stage.client());
  for (const client of clients) await client.post("fetch", fetching("t", 2, { maxBytes: 1 }));
  await eventually("all are looked for", () => stage.topics.peeks >= before + 60);
  for (const client of clients) await client.post("healthCheck", {});
  for (const client of clients) await client.reply();
  // 128 MiB, one more, and one at a time.
  assert.ok(stage.topics.mostReading <= 24, `${stage.topics.mostReading} at a time`);
  gate.resolve();
  for (const client of clients) {
    const answer = answerOf(await client.reply(), "fetch");
    assert.ok(!isRefused(answer) && answer.messages.count === 1);
    client[Symbol.dispose]();
  }
});

Deno.test("frames that do not end take no more memory than those of all clients may", async () => {
  await using stage = serveTopics(HOST, { maxUnfinishedBytes: 4 * MiB });
  using other = await stage.client();
  const begin = new Uint8Array(MiB + MiB / 2);
  begin.set([0, 0x90, 0, 0]);
  const clients: RawTopics[] = [];
  const ends: Promise<unknown>[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await stage.client();
    clients.push(client);
    await client.send(begin).catch(() => {});
    ends.push(client.end().then(() => client[Symbol.dispose]()));
  }
  await eventually("so many are left as may be", () => stage.port.size <= 4);
  await other.done("produce", producing("t", ["x".repeat(10_000)]));
  for (const client of clients) client[Symbol.dispose]();
  await Promise.allSettled(ends);
  await eventually("they are gone", () => stage.port.size === 1);
  const bytes = encodeMessages([messageOf("x".repeat(MiB))]);
  await other.done("produce", producing("t", [], { messages: { count: 1, bytes } }));
});

Deno.test("lists are made one after the other as a client reads them", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  for (let i = 0; i < 10_000; i++) fill(stage.topics, `${i}`.padStart(200, "x"));
  const before = stage.topics.peeks;
  const frame = frameOf(1, "listTopics", {});
  const frames = new Uint8Array(200 * frame.length);
  for (let i = 0; i < 200; i++) frames.set(frame, i * frame.length);
  await client.send(frames);
  using other = await stage.client();
  for (let i = 0; i < 20; i++) {
    await other.done("getOffset", { topic: "0".padStart(200, "x"), partition: 0 });
  }
  const lists = (stage.topics.peeks - before - 20) / 10;
  // 400 MiB were asked for. The system takes some MiB of them, and the port 8.
  assert.ok(lists < 20, `${lists} lists`);
  client[Symbol.dispose]();
  // The one that was begun ends with its client, sooner than a whole one.
  await other.done("listTopics", {});
});

Deno.test("what is about many partitions is done a part at a time, and others have their turn between", async () => {
  await using stage = serveTopics(HOST);
  using client = await stage.client();
  const topics = Array.from({ length: 10 }, (_, i) => `t${i}`);
  for (const topic of topics) {
    await client.done("createTopic", { topic, partitions: 1_024, replicationFactor: 0 });
  }
  /** Questions, and commands, of each turn. */
  const turns: number[] = [];
  let isSame = false;
  const count = (): void => {
    if (!isSame) {
      turns.push(0);
      setTimeout(() => isSame = false);
    }
    isSame = true;
    turns[turns.length - 1]!++;
  };
  const peek = stage.topics.peek.bind(stage.topics);
  stage.topics.peek = (question) => {
    count();
    return peek(question);
  };
  const partitions = topics.flatMap((topic) =>
    Array.from({ length: 200 }, (_, partition) => ({ topic, partition }))
  );
  const commit = (offset: number) => ({
    group: "g",
    generation: 0,
    member: "",
    offsets: partitions.map((one) => ({ ...one, offset, metadata: "" })),
  });
  const before = stage.topics.commands;
  const ids = [await client.post("commitOffsets", commit(1))];
  ids.push(await client.post("commitOffsets", commit(2)));
  for (const id of ids) {
    const answer = answerOf(await client.reply(id), "commitOffsets");
    assert.ok(!isRefused(answer));
    assert.deepEqual(answer.codes, partitions.map(() => 0));
  }
  assert.equal(stage.topics.commands - before, 8);
  for (const some of [partitions, []]) {
    turns.length = 0;
    const { offsets } = await client.done("fetchOffsets", { group: "g", partitions: some });
    assert.deepEqual(offsets, partitions.map((one) => ({ ...one, offset: 2, metadata: "" })));
    assert.deepEqual(turns, some.length > 0 ? [1, 1, 1, 1] : [1, 1, 1]);
  }
  for (const some of [topics, []]) {
    turns.length = 0;
    const { topics: found } = await client.done("metadata", { topics: some });
    assert.deepEqual(found.map(({ name }) => name), topics);
    assert.ok(found.every(({ partitions }) => partitions.length === 1_024));
    assert.ok(Math.max(...turns) <= 5, `${turns}`);
  }
});

Deno.test("a client that reads nothing for too long is disconnected", async () => {
  await using stage = serveTopics(HOST, { stallLimitMs: 300 });
  using client = await stage.client();
  const bytes = encodeMessages([messageOf("x".repeat(3 * MiB))]);
  await client.done("produce", producing("t", [], { messages: { count: 1, bytes } }));
  const frame = frameOf(1, "fetch", fetching("t", 0, { maxBytes: 4 * MiB }));
  for (let i = 0; i < 12; i++) await client.send(frame);
  await eventually("it is gone", () => stage.port.size === 0);
});

Deno.test("a frame that does not end in time ends the connection, and so does silence", async () => {
  await using stage = serveTopics(HOST, { frameLimitMs: 300, idleLimitMs: 600 });
  using slow = await stage.client();
  using steady = await stage.client();
  using silent = await stage.client();
  using waiting = await stage.client();
  await waiting.done("produce", producing("t", ["a"]));
  const waits = waiting.ask("fetch", fetching("t", 1, { minBytes: 1, maxWaitMs: 2_000 }));
  const start = performance.now();
  await slow.send(frameOf(1, "healthCheck", {}).subarray(0, 10));
  assert.deepEqual(await slow.end(), []);
  const slowMs = performance.now() - start;
  assert.ok(slowMs >= 250, `${slowMs} ms`);
  const asking = (async () => {
    while (performance.now() < start + 1_500) {
      await steady.done("healthCheck", {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  assert.deepEqual(await silent.end(), []);
  const silentMs = performance.now() - start;
  assert.ok(silentMs >= 500 && silentMs < 1_500, `${silentMs} ms`);
  await asking;
  // Who waits for an answer is not silent.
  const answer = await waits;
  assert.ok(!isRefused(answer));
});

Deno.test("a client that finds no room is told so in answer to its first request, and room that is free is used", async () => {
  await using stage = serveTopics(HOST, { maxConnections: 10 });
  const clients: RawTopics[] = [];
  for (let i = 0; i < 10; i++) {
    const client = await stage.client();
    await client.done("healthCheck", {});
    clients.push(client);
  }
  for (let i = 0; i < 3; i++) {
    using more = await stage.client();
    await more.post("produce", producing("t", ["a"]));
    const replies = await more.end();
    assert.deepEqual(replies.map(({ id, code }) => [id, code]), [[1_000, 101]]);
  }
  assert.equal(stage.topics.commands, 0);
  clients.pop()?.[Symbol.dispose]();
  await eventually("there is room", () => stage.port.size === 9);
  using again = await stage.client();
  await again.done("healthCheck", {});
  for (const client of clients) {
    await client.done("healthCheck", {});
    client[Symbol.dispose]();
  }
});

Deno.test("at the end what is under way is answered, and what comes then is not begun", async () => {
  const stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("createTopic", { topic: "t", partitions: 1, replicationFactor: 1 });
  stage.topics.hold();
  const begun = await client.post("produce", producing("t", ["a"]));
  const waiting = await client.post("fetch", fetching("t", 0, { minBytes: 1, maxWaitMs: 60_000 }));
  await eventually("it is under way", () => stage.topics.held === 1);
  await client.done("healthCheck", {});
  const closed = stage.port.close();
  // Who waits for messages waits no longer.
  const fetched = answerOf(await client.reply(waiting), "fetch");
  assert.ok(!isRefused(fetched) && fetched.messages.count === 0);
  assert.equal(await client.refused("produce", producing("t", ["b"])), 101);
  stage.topics.release();
  assert.equal((await client.reply(begun)).code, 0);
  assert.deepEqual(await client.end(), []);
  await closed;
  assert.equal(stage.topics.commands, 2);
});

Deno.test("a fetch that is about to wait when the port closes does not", async () => {
  const stage = serveTopics(HOST);
  using client = await stage.client();
  await client.done("produce", producing("t", ["a"]));
  const gate = Promise.withResolvers<void>();
  stage.topics.beforeRead = () => gate.promise;
  const fetch = fetching("t", 0, { minBytes: 1_000, maxWaitMs: 60_000 });
  const id = await client.post("fetch", fetch);
  await eventually("it is read", () => stage.topics.reading === 1);
  const start = performance.now();
  const closed = stage.port.close();
  gate.resolve();
  const answer = answerOf(await client.reply(id), "fetch");
  assert.ok(!isRefused(answer) && answer.messages.count === 1);
  await closed;
  const ms = performance.now() - start;
  assert.ok(ms < 2_000, `what is under way had all of its time: ${ms} ms`);
});
