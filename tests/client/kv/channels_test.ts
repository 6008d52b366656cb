/**
 * Channels as programs have them: through a client, and within the agent.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectionClosedError,
  KvClient,
  KvError,
  type KvMessage,
  type RecordStream,
} from "../../../client/mod.ts";
import { AgentKv } from "../../../server/kv/local/local.ts";
import { startScriptedPort } from "../../support/kv/scripted_port.ts";
import { lonelyChannels, serve, type Stage } from "../../support/kv/stage.ts";
import { MemoryState } from "../../support/kv/memory_state.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

function addressOf({ port: { address } }: Stage): string {
  return `${address.hostname}:${address.port}`;
}

/** The next messages, as `channel message`. */
async function next(stream: AsyncIterable<KvMessage>, count: number): Promise<string[]> {
  const found: string[] = [];
  const iterator = stream[Symbol.asyncIterator]();
  while (found.length < count) {
    const { value, done } = await iterator.next();
    if (done) break;
    found.push(`${value.channel} ${JSON.stringify(value.message)}`);
  }
  return found;
}

Deno.test("what a client publishes comes to those who have subscribed, as it was", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage), name: "me" });
  const news = await client.subscribe(["news^*", ["a", "b"]]);
  const one = await client.subscribe("^a^b");
  assert.equal(await client.publish("news^x", { n: [1, null, "é"] }), 1);
  assert.equal(await client.publish(["a", "b"], "text"), 2);
  assert.equal(await client.publish("nobody", 1), 0);
  const iterator = news[Symbol.asyncIterator]();
  assert.deepEqual((await iterator.next()).value, {
    channel: "news^x",
    message: { n: [1, null, "é"] },
    from: "me",
    node: "alpha",
    seq: 1,
    pattern: "news^*",
  });
  assert.deepEqual((await iterator.next()).value, {
    channel: "a^b",
    message: "text",
    from: "me",
    node: "alpha",
    seq: 1,
  });
  assert.deepEqual(await next(one, 1), ['a^b "text"']);
  await news.stop();
  await news.stop();
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  await until(() => stage.pubsub.figures.subscribers === 1);
  await client.close();
  assert.deepEqual(await next(one, 1), []);
  await assert.rejects(client.subscribe("a"), ConnectionClosedError);
  await until(() => stage.pubsub.figures.subscribers === 0);
});

Deno.test("leaving a loop or the signal ends a subscription", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  const one = await client.subscribe("a");
  await client.publish("a", 1);
  for await (const { message } of one) {
    assert.equal(message, 1);
    break;
  }
  await until(() => stage.pubsub.figures.subscribers === 0);
  const ending = new AbortController();
  const two = await client.subscribe("a", { signal: ending.signal });
  await client.publish("a", 2);
  await until(() => stage.pubsub.figures.delivered === 2);
  const reading = next(two, 2);
  ending.abort(new Error("enough"));
  await assert.rejects(reading, { message: "enough" });
  await until(() => stage.pubsub.figures.subscribers === 0);
  await assert.rejects(client.subscribe("a", { signal: ending.signal }), { message: "enough" });
});

Deno.test("what is wrong is an error at once", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  const code = (wanted: number) => (error: unknown) =>
    error instanceof KvError && error.code === wanted;
  await assert.rejects(client.subscribe("a^^b"), code(422));
  await assert.rejects(client.subscribe(["a", "$sys"]), code(403));
  await assert.rejects(client.publish("a^*", 1), code(422));
  await assert.rejects(client.publish("$sys^a", 1), code(403));
  await assert.rejects(client.publish("a", "x".repeat(300 * 1024)), code(413));
  await assert.rejects(client.publish("a", undefined as never), TypeError);
  await assert.rejects(client.subscribe("a", { bufferSize: "1" } as never), TypeError);
  await assert.rejects(client.subscribe([7] as never), TypeError);
  await until(() => stage.port.size === 1);
});

Deno.test("a reader that falls behind loses the newest, and sees how many", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  const slow = await client.subscribe("a", { bufferSize: 3 });
  for (let i = 0; i < 10; i++) await client.publish("a", i);
  await until(() => slow.dropped === 7);
  assert.deepEqual(await next(slow, 3), ["a 0", "a 1", "a 2"]);
  assert.equal(slow.reopened, 0);
});

Deno.test("after the connection has dropped it is subscribed again, and says so", async () => {
  const seen: string[] = [];
  const ask = async (count: number, news: RecordStream<KvMessage>) => {
    seen.push(...await next(news, count));
  };
  const first = serve(HOST);
  const address = addressOf(first);
  await using client = await KvClient.connect({
    address,
    reconnect: { minDelayMs: 1, maxDelayMs: 20 },
  });
  const news = await client.subscribe(["a", "b^*"]);
  await client.publish("a", 1);
  await ask(1, news);
  await first.port.close();
  await using second = serve(HOST, { address });
  await until(() => second.pubsub.figures.subscribers === 1);
  second.pubsub.publish("b^c", new TextEncoder().encode("2"), "me");
  await ask(1, news);
  assert.equal(news.reopened, 1, "who reads a message of the new connection knows that it is one");
  assert.deepEqual(seen, ["a 1", "b^c 2"]);
});

Deno.test("without connecting again a subscription ends as its connection does, after what has come", async () => {
  const stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  const news = await client.subscribe("a");
  await client.publish("a", 1);
  await stage.port.close();
  assert.deepEqual(await next(news, 1), ["a 1"]);
  await assert.rejects(next(news, 1), ConnectionClosedError);
});

Deno.test("an agent that has no room or no time is asked again, and one that refuses is not", async () => {
  const refusal = (code: number, reason: string) =>
    JSON.stringify({ status: "error", code, reason, message: reason }) + "\n";
  const message = JSON.stringify({ push: "message", channel: "a", message: 1 });
  const ok = '{"status":"ok","result":["a"]}\n';
  const answers = [
    ok,
    refusal(503, "SHUTTING_DOWN"),
    refusal(429, "TOO_MANY_SUBSCRIPTIONS"),
    `${message}\n${ok}`,
    refusal(403, "FORBIDDEN"),
  ];
  await using port = startScriptedPort(
    HOST,
    ({ action }) => action === "SUBSCRIBE" ? answers.shift() : undefined,
  );
  await using client = await KvClient.connect({
    address: port.address,
    reconnect: { minDelayMs: 1, maxDelayMs: 20 },
  });
  const news = await client.subscribe("a");
  const iterator = news[Symbol.asyncIterator]();
  const read = iterator.next().then(({ value }) => [value?.message, news.reopened]);
  port.hangUp();
  assert.deepEqual(await read, [1, 1]);
  port.hangUp();
  await assert.rejects(next(news, 1));
  assert.deepEqual(answers, []);
});

Deno.test("what an agent says was dropped is counted", async () => {
  await using port = startScriptedPort(
    HOST,
    ({ action }) =>
      action === "SUBSCRIBE"
        ? '{"status":"ok","result":["a"]}\n{"push":"dropped","count":5}\n{"push":"odd"}\n{"push":"dropped","count":2}\n'
        : undefined,
  );
  await using client = await KvClient.connect({ address: port.address });
  const news = await client.subscribe("a");
  await until(() => news.dropped === 7);
});

Deno.test("within an agent the same is there, without a connection", async () => {
  const pubsub = lonelyChannels();
  const kv = new AgentKv(new MemoryState(), pubsub);
  using news = kv.subscribe(["a^*", "b"], { bufferSize: 2 });
  const one = kv.subscribe("b");
  assert.equal(kv.publish("a^x", { y: 1 }), 1);
  assert.equal(kv.publish("b", 2), 2);
  assert.equal(kv.publish("b", 3), 2);
  await Promise.resolve();
  assert.equal(news.dropped, 1);
  const iterator = news[Symbol.asyncIterator]();
  assert.deepEqual((await iterator.next()).value, {
    channel: "a^x",
    message: { y: 1 },
    from: "alpha",
    node: "alpha",
    seq: 1,
    pattern: "a^*",
  });
  assert.deepEqual(await next(one, 2), ["b 2", "b 3"]);
  one.close();
  assert.equal(kv.publish("b", 4), 1);
  const code = (wanted: number) => (error: unknown) =>
    error instanceof KvError && error.code === wanted;
  assert.throws(() => kv.publish("a^*", 1), code(422));
  assert.throws(() => kv.publish("a", "x".repeat(300 * 1024)), code(413));
  assert.throws(() => kv.publish("a", undefined as never), code(422));
  assert.throws(() => kv.subscribe(["b", "$sys"]), code(403));
  assert.throws(() => kv.subscribe("b", { bufferSize: 0 }), RangeError);
  kv.close();
  assert.equal(pubsub.figures.subscribers, 0);
});
