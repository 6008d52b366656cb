/**
 * Consumers at scripted servers: each message once and in order, wherever reading begins and whatever fails, and the offsets that
 * groups commit.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectionClosedError,
  PayloadBytes,
  TimeoutError,
  TopicClient,
  type TopicConsumer,
  type TopicError,
  type TopicMessage,
} from "../../../client/mod.ts";
import { CODE, type Message } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { fill, offsetsOf, range } from "../../support/topics/fill_model.ts";
import { type ScriptedTopics, serveTopics } from "../../support/topics/scripted_server.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

function connect(server: ScriptedTopics): Promise<TopicClient> {
  return TopicClient.connect({
    address: server.address,
    retry: { minDelayMs: 1, maxDelayMs: 10 },
  });
}

/** So many messages, one after the other. */
async function take(consumer: TopicConsumer, count: number): Promise<TopicMessage[]> {
  const messages: TopicMessage[] = [];
  for await (const message of consumer) {
    messages.push(message);
    if (messages.length === count) break;
  }
  return messages;
}

Deno.test("a message comes with all that it was sent with", async () => {
  await using server = serveTopics(HOST);
  const sent: Message = {
    offset: 0,
    timestamp: 1_800_000_000_123_456_789n,
    key: Uint8Array.of(0xff, 0),
    value: new TextEncoder().encode('{"a":"é"}'),
    headers: [["b", Uint8Array.of(1)], ["a", new Uint8Array()], ["b", Uint8Array.of(2)]],
  };
  const nothing: Message = { offset: 1, timestamp: -1n, key: null, value: null, headers: [] };
  const empty = new Uint8Array();
  server.model.create("t", 1).partitions[0]!.messages.push(sent, nothing, {
    ...nothing,
    offset: 2,
    key: empty,
    value: empty,
  });
  await using client = await connect(server);
  await using consumer = client.consumer("t");
  const [first, second, third] = await take(consumer, 3);
  assert.deepEqual(
    [first?.topic, first?.partition, first?.offset, first?.timestampNs, first?.timestamp],
    ["t", 0, 0, sent.timestamp, 1_800_000_000_123.456789],
  );
  assert.deepEqual(first?.value?.json(), { a: "é" });
  assert.ok(first?.key instanceof PayloadBytes);
  assert.deepEqual([...first.key], [0xff, 0]);
  assert.deepEqual(first?.headers.map(([name, value]) => [name, [...value]]), [
    ["b", [1]],
    ["a", []],
    ["b", [2]],
  ]);
  assert.deepEqual([second?.key, second?.value, second?.timestamp], [null, null, -0.000001]);
  assert.deepEqual([third?.key?.length, third?.value?.length], [0, 0]);
});

Deno.test("each of 1,000 messages comes once and in order, however it is asked for", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 1_000);
  await using client = await connect(server);
  const random = new SeededRandom(SEED);
  for (const maxBytes of [1, 500, 1_048_576]) {
    await using consumer = client.consumer("t", { maxBytes });
    const seen: number[] = [];
    while (seen.length < 1_000) {
      switch (below(random, 3)) {
        case 0:
          seen.push((await consumer.fetchOne())!.offset);
          break;
        case 1:
          if (below(random, 20) === 0) seen.push(...offsetsOf(await consumer.fetch()));
          break;
        default: {
          const some = Math.min(1_000 - seen.length, 1 + below(random, 5));
          seen.push(...offsetsOf(await take(consumer, some)));
        }
      }
      assert.equal(await consumer.position(0), seen.length);
    }
    assert.deepEqual(seen, range(0, 1_000), `seed ${SEED}`);
    const { messages, lag } = consumer.statistics;
    assert.deepEqual([messages, lag], [1_000, 0]);
  }
});

Deno.test("calls that overlap get a message each", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 50);
  await using client = await connect(server);
  await using consumer = client.consumer("t");
  const all = await Promise.all(Array.from({ length: 50 }, () => consumer.fetchOne()));
  assert.deepEqual(all.map((one) => one?.offset), range(0, 50));
});

Deno.test("messages of several partitions come in the order of each, and none is left waiting", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 3);
  for (const partition of [0, 1, 2]) fill(server.model, "t", partition, 200);
  await using client = await connect(server);
  {
    await using consumer = client.consumer("t", { maxBytes: 300 });
    const messages = await take(consumer, 600);
    for (const partition of [0, 1, 2]) {
      const own = messages.filter((one) => one.partition === partition);
      assert.deepEqual(offsetsOf(own), range(0, 200));
      assert.ok(messages.indexOf(own[0]!) < 100, "not one after the other");
    }
  }
  await using consumer = client.consumer("t", { partitions: [2] });
  assert.deepEqual(
    new Set((await take(consumer, 200)).map(({ partition }) => partition)),
    new Set([2]),
  );
  await assert.rejects(consumer.position(0), /no partition/);
});

Deno.test("of many partitions less is fetched at a time, and all are read", async () => {
  for (const [partitions, bytes] of [[16, 1_048_576], [64, 524_288], [600, 55_924]] as const) {
    await using server = serveTopics(HOST);
    await using client = await connect(server);
    server.model.create("t", partitions);
    for (let at = 0; at < partitions; at++) fill(server.model, "t", at, 2);
    await using consumer = client.consumer("t", { maxWaitMs: 50 });
    const seen = await take(consumer, 2 * partitions);
    assert.equal(new Set(seen.map(({ partition }) => partition)).size, partitions);
    const wanted = server.received.flatMap((request) => {
      return request.kind === "fetch" ? [request.body.maxBytes] : [];
    });
    assert.deepEqual(new Set(wanted), new Set([bytes]));
  }
});

Deno.test("what is sent is there at once, and who waits for nothing gets nothing", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { maxWaitMs: 5_000 });
  assert.equal(await consumer.fetchOne({ timeoutMs: 20 }), undefined);
  assert.deepEqual(await consumer.fetch({ timeoutMs: 0 }), []);
  await using late = client.consumer("t");
  server.script = ({ kind }) => kind === "metadata";
  assert.equal(await late.fetchOne({ timeoutMs: 20 }), undefined);
  server.script = () => false;
  const waiting = consumer.fetchOne();
  await using producer = client.producer({ lingerMs: 0 });
  const sentAt = performance.now();
  await producer.send("t", { value: "a", partition: 1 });
  assert.equal((await waiting)?.value?.text(), "a");
  assert.ok(
    performance.now() - sentAt < 2_000,
    "long before the server had waited for long enough",
  );
});

Deno.test("reading begins where it is to, and goes on wherever it is told", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 10);
  server.model.partition("t", 0).start = 3;
  await using client = await connect(server);
  const first = async (start: number | "earliest" | "latest"): Promise<number | undefined> => {
    await using consumer = client.consumer("t", { start, maxWaitMs: 10 });
    return (await consumer.fetchOne({ timeoutMs: start === "latest" ? 30 : 5_000 }))?.offset;
  };
  assert.equal(await first("earliest"), 3);
  assert.equal(await first(7), 7);
  assert.equal(await first("latest"), undefined);
  await using consumer = client.consumer("t", { start: "latest", maxWaitMs: 10 });
  assert.equal(await consumer.position(0), 10);
  fill(server.model, "t", 0, 2);
  assert.deepEqual(offsetsOf(await take(consumer, 2)), [10, 11]);
  assert.equal(await consumer.endOffset(0), 12);
  await consumer.seek(0, 5);
  assert.equal(await consumer.position(0), 5);
  assert.deepEqual(offsetsOf(await take(consumer, 2)), [5, 6]);
  await consumer.seekToBeginning();
  assert.deepEqual(offsetsOf(await take(consumer, 2)), [3, 4]);
  await consumer.seekToEnd(0);
  assert.equal(await consumer.position(0), 12);
  await consumer.seek(0, "earliest");
  assert.equal((await consumer.fetchOne())?.offset, 3);
  for (const wrong of [-1, 0.5, "first"]) {
    await assert.rejects(consumer.seek(0, wrong as never), TypeError);
    assert.throws(() => client.consumer("t", { start: wrong as never }), TypeError);
  }
});

Deno.test("what was fetched before a seek is not delivered after it", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 100);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { start: 50, maxBytes: 100 });
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== "fetch") return false;
    held.push(() => connection.answer(request));
    return true;
  };
  const waiting = consumer.fetchOne();
  await until(() => held.length === 1);
  await consumer.seek(0, 20);
  held[0]!();
  await until(() => held.length === 2);
  held[1]!();
  assert.equal((await waiting)?.offset, 20);
});

Deno.test("when its messages are gone reading goes on as it is told", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 100);
  await using client = await connect(server);
  await using early = client.consumer("t", { start: 5, maxBytes: 100 });
  await using late = client.consumer("t", { start: 5, maxBytes: 100, onOutOfRange: "latest" });
  await using none = client.consumer("t", { start: 5, maxBytes: 100, onOutOfRange: "error" });
  await using beyond = client.consumer("t", { start: 500 });
  for (const consumer of [early, late, none]) {
    assert.equal((await consumer.fetchOne())?.offset, 5);
  }
  server.model.partition("t", 0).start = 60;
  // What was fetched before is still delivered.
  const offsets = offsetsOf(await take(early, 40));
  assert.ok(offsets[0] === 6 && offsets.includes(60) && !offsets.includes(59), `${offsets}`);
  assert.equal((await beyond.fetchOne())?.offset, 60);
  let last = 0;
  for (
    let one = await late.fetchOne({ timeoutMs: 500 });
    one;
    one = await late.fetchOne({ timeoutMs: 500 })
  ) {
    last = one.offset;
  }
  assert.ok(last < 60);
  assert.equal(await late.position(0), 100);
  await assert.rejects(async () => {
    for await (const { offset } of none) last = offset;
  }, { reason: "OFFSET_OUT_OF_RANGE" });
  await assert.rejects(none.fetchOne(), { code: CODE.OFFSET_OUT_OF_RANGE });
  await none.seek(0, 70);
  assert.equal((await none.fetchOne())?.offset, 70);
});

Deno.test("a server that is behind is waited for: nothing comes twice, and nothing is passed over", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 10);
  await using client = await connect(server);
  for (const onOutOfRange of ["earliest", "latest", "error"] as const) {
    let refused = 0;
    server.script = (request, connection) => {
      if (request.kind !== "fetch" || refused++ > 2) return false;
      connection.refuse(request, refused > 1 ? CODE.OFFSET_OUT_OF_RANGE : CODE.TOPIC_NOT_FOUND);
      return true;
    };
    await using consumer = client.consumer("t", { start: 7, onOutOfRange, anyServer: true });
    assert.deepEqual(offsetsOf(await take(consumer, 3)), [7, 8, 9]);
    assert.ok(refused > 2);
  }
});

Deno.test("failures are passed over while they may pass, then told, and nothing is missing after them", async () => {
  const random = new SeededRandom(SEED);
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  fill(server.model, "t", 0, 300);
  fill(server.model, "t", 1, 300);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { maxBytes: 200, timeoutMs: 400, maxWaitMs: 10 });
  server.script = (request, connection) => {
    if (request.kind !== "fetch") return false;
    switch (below(random, 8)) {
      case 0:
        return (server.hangUp(), true);
      case 1:
        return (connection.refuse(request, CODE.OVERLOADED), true);
      default:
        return false;
    }
  };
  const seen = await take(consumer, 300);
  server.script = (request, connection) => {
    if (request.kind !== "fetch") return false;
    connection.refuse(request, CODE.CORRUPT_MESSAGE);
    return true;
  };
  await assert.rejects(async () => {
    for await (const message of consumer) seen.push(message);
  }, { reason: "CORRUPT_MESSAGE" });
  server.script = () => false;
  while (seen.length < 600) {
    try {
      for await (const message of consumer) if (seen.push(message) === 600) break;
    } catch (error) {
      // The other partition has failed as well.
      assert.equal((error as TopicError).reason, "CORRUPT_MESSAGE");
    }
  }
  for (const partition of [0, 1]) {
    const own = seen.filter((one) => one.partition === partition);
    assert.deepEqual(offsetsOf(own), range(0, 300), `seed ${SEED}`);
  }
});

Deno.test("a server that gives offsets of before is not believed", async () => {
  await using server = serveTopics(HOST);
  const { messages } = server.model.create("t", 1).partitions[0]!;
  fill(server.model, "t", 0, 3);
  messages[2] = { ...messages[2]!, offset: 0 };
  await using client = await connect(server);
  await using consumer = client.consumer("t", { start: 1 });
  await assert.rejects(consumer.fetchOne(), {
    reason: "CORRUPT_MESSAGE",
    message: "Server gave no such messages: Expected offset 2 or more, got 0",
  });
});

Deno.test("a topic that is not there is told, and read once it is", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect(server);
  await using consumer = client.consumer("t");
  await assert.rejects(consumer.fetchOne(), { name: "TopicError", reason: "TOPIC_NOT_FOUND" });
  server.model.create("t", 1);
  fill(server.model, "t", 0, 1);
  assert.equal((await consumer.fetchOne())?.offset, 0);
});

Deno.test("a group goes on where it was, each group by itself", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  fill(server.model, "t", 0, 100);
  fill(server.model, "t", 1, 100);
  await using client = await connect(server);
  const options = { autoCommitMs: 0, maxBytes: 300 };
  const seen: TopicMessage[] = [];
  for (let run = 0; run < 4; run++) {
    await using consumer = client.consumer("t", { ...options, group: "a" });
    seen.push(...await take(consumer, 50));
    await consumer.commit();
    // Not committed, so that they come again.
    if (run < 3) await take(consumer, 7);
  }
  for (const partition of [0, 1]) {
    const own = seen.filter((one) => one.partition === partition);
    assert.deepEqual(offsetsOf(own), range(0, 100));
  }
  await using other = client.consumer("t", { ...options, group: "b", start: "latest" });
  assert.equal(await other.position(0), 100);
  const kept = await client.committedOffsets("a");
  assert.deepEqual(kept.map(({ topic, offset }) => [topic, offset]), [["t", 100], ["t", 100]]);
  assert.deepEqual(await client.committedOffsets("b"), []);
  await using alone = client.consumer("t");
  await assert.rejects(alone.commit(), TypeError);
});

Deno.test("what is done with is committed by itself, and at the end; the last message may not be", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 20);
  await using client = await connect(server);
  const committed = (): number | undefined =>
    server.model.groups.group("g").committed.get("t 0")?.offset;
  {
    await using consumer = client.consumer("t", { group: "g", autoCommitMs: 10 });
    assert.equal((await take(consumer, 5)).length, 5);
    // The fifth is still worked at, as far as is known.
    await until(() => committed() === 4);
    await consumer.fetchOne();
    await until(() => committed() === 5);
    await consumer.commit();
    const commits = (): number => {
      return server.received.filter(({ kind }) => kind === "commitOffsets").length;
    };
    const before = commits();
    await consumer.commit();
    assert.equal(commits(), before, "only what has changed");
    await consumer.seek(0, 5);
  }
  assert.equal(committed(), 5);
  {
    await using consumer = client.consumer("t", { group: "g", autoCommitMs: 60_000 });
    assert.deepEqual(offsetsOf(await take(consumer, 3)), [5, 6, 7]);
  }
  assert.equal(committed(), 7);
  {
    await using consumer = client.consumer("t", { group: "g", autoCommitMs: 0 });
    await take(consumer, 3);
  }
  assert.equal(committed(), 7);
});

Deno.test("where a group began is kept, so that it misses nothing of what comes while it is away", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 5);
  await using client = await connect(server);
  const options = { group: "g", start: "latest", maxWaitMs: 10 } as const;
  {
    await using consumer = client.consumer("t", options);
    assert.equal(await consumer.position(0), 5);
    assert.equal(await consumer.fetchOne({ timeoutMs: 20 }), undefined);
  }
  fill(server.model, "t", 0, 5);
  await using consumer = client.consumer("t", options);
  assert.equal((await consumer.fetchOne())?.offset, 5);
});

Deno.test("commits that fail are told, and tried again", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 5);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { group: "g", autoCommitMs: 10 });
  server.script = (request, connection) => {
    if (request.kind !== "commitOffsets") return false;
    connection.refuse(request, CODE.QUOTA_EXCEEDED, "too many groups");
    return true;
  };
  await take(consumer, 3);
  await until(() => consumer.statistics.commitError !== undefined);
  assert.equal(consumer.statistics.commitError?.message, "Too many groups");
  await assert.rejects(consumer.commit(), { reason: "QUOTA_EXCEEDED" });
  server.script = () => false;
  await until(() => server.model.groups.group("g").committed.get("t 0")?.offset === 3);
  await until(() => consumer.statistics.commitError === undefined);
});

Deno.test("commits do not queue up while no server answers, and none takes longer than it may", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  fill(server.model, "t", 0, 5);
  await using client = await connect(server);
  const consumer = client.consumer("t", { group: "g", autoCommitMs: 1, timeoutMs: 1_500 });
  server.script = ({ kind }) => kind === "commitOffsets";
  await take(consumer, 3);
  await until(() => consumer.statistics.commitError !== undefined);
  const started = performance.now();
  await assert.rejects(consumer.commit({ timeoutMs: 10 }), TimeoutError);
  assert.ok(performance.now() - started < 1_000, "it has waited for the one before");
  await assert.rejects(consumer.close(), TimeoutError);
  const tookMs = performance.now() - started;
  assert.ok(tookMs < 5_000, `It took ${tookMs} ms`);
});

Deno.test("closing ends what is waited for, and what is read", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  const client = await connect(server);
  const consumer = client.consumer("t");
  const waiting = assert.rejects(consumer.fetchOne(), ConnectionClosedError);
  const read = take(consumer, 1);
  await until(() => server.received.some(({ kind }) => kind === "fetch"));
  await consumer.close();
  await waiting;
  assert.deepEqual(await read, []);
  await assert.rejects(consumer.fetchOne(), ConnectionClosedError);
  const other = client.consumer("t");
  const begun = assert.rejects(other.fetchOne(), ConnectionClosedError);
  await client.close();
  await begun;
});

Deno.test("a signal, or the time, ends a wait and nothing else", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  await using consumer = client.consumer("t", { maxWaitMs: 10 });
  const gone = new Error("Gone");
  const given = new AbortController();
  const waiting = consumer.fetchOne({ signal: given.signal });
  given.abort(gone);
  await assert.rejects(waiting, gone);
  server.script = ({ kind }) => kind === "getOffset";
  await assert.rejects(consumer.endOffset(0, { timeoutMs: 20 }), TimeoutError);
  server.script = () => false;
  fill(server.model, "t", 0, 1);
  assert.equal((await consumer.fetchOne())?.offset, 0);
});
