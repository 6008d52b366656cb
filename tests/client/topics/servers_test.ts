/**
 * Programs that produce and consume, at real servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectError,
  TopicClient,
  type TopicMessage,
  type TopicPosition,
} from "../../../client/mod.ts";
import type { Agent } from "../../../server/agent/agent.ts";
import { TlsServer } from "../../../server/net/wire/tls.ts";
import { accessOf } from "../../support/kv/access.ts";
import { loopback } from "../../support/loopback.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { below } from "../../support/random_value.ts";
import { folder, leaderOf, startServer, threeServers } from "../../support/replica/agents.ts";
import { Relay } from "../../support/replica/relay.ts";
import { until } from "../../support/rpc/peer.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { serveTopics } from "../../support/topics/stage.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

const addressIn = (agent: Agent | undefined): string => agent?.state?.addresses.topicsAddr ?? "";

/** Reads until `count` messages have come. */
async function read(client: TopicClient, topic: string, count: number): Promise<TopicMessage[]> {
  const messages: TopicMessage[] = [];
  await using consumer = client.consumer(topic);
  for await (const message of consumer) if (messages.push(message) === count) break;
  return messages;
}

/** Checks that what was sent, the i-th message with the value i, is there once, in order and where its promise said. */
function assertKept(
  sent: readonly TopicPosition[],
  messages: readonly TopicMessage[],
  partitions: number,
): void {
  for (let partition = 0; partition < partitions; partition++) {
    const own = messages.filter((one) => one.partition === partition);
    assert.deepEqual(own.map(({ offset }) => offset), own.map((_, i) => i));
    const values = own.map(({ value }) => Number(value?.text()));
    const expected = sent.flatMap((at, i) => at.partition === partition ? [i] : []);
    assert.deepEqual(values, expected, `seed ${SEED}`);
    own.forEach(({ offset }, i) => assert.equal(offset, sent[values[i]!]!.offset));
  }
}

Deno.test("a program finds the leader by any server, and all that it sends is there once when that hands over", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const follower = servers.agents.find(({ config }) => config.nodeName !== name);
  await using client = await TopicClient.connect({ address: addressIn(follower) });
  assert.equal(await client.createTopic("t", { partitions: 3 }), true);
  const { servers: known, leader } = await client.metadata();
  assert.equal(leader, name);
  assert.deepEqual(known.map(({ id }) => id).sort(), ["a", "b", "c"]);
  assert.equal(known.find(({ id }) => id === name)?.address, addressIn(servers.at(name)));
  const seen = read(client, "t", 2_000);
  await using producer = client.producer({ idempotent: true, maxMessages: 10, lingerMs: 2 });
  const send = (from: number): Promise<TopicPosition[]> =>
    Promise.all(Array.from({ length: 1_000 }, (_, i) => {
      return producer.send("t", { key: `k${i % 50}`, value: `${from + i}` });
    }));
  const first = await send(0);
  const ending = servers.end(name);
  const second = await send(1_000);
  await ending;
  assertKept([...first, ...second], await seen, 3);
  assert.notEqual((await client.metadata()).leader, name);
});

Deno.test("what a producer with an identity sends is there once, however often its answers are lost", async () => {
  const random = new SeededRandom(SEED);
  // A port that does not tell where it is: the client would find its way around the relay.
  await using stage = serveTopics(HOST);
  const { hostname: host, port } = stage.port.address;
  await using relay = new Relay(HOST, { host, port });
  let isBad = false;
  let cuts = 0;
  relay.bend = (chunk) => {
    // It arrives, or half of it, and what is said to it does not.
    if (isBad && below(random, 3) === 0) {
      cuts++;
      queueMicrotask(() => relay.hangUp());
      if (below(random, 3) === 0) return [chunk.subarray(0, chunk.length >> 1)];
    }
    return [chunk];
  };
  const address = `${relay.address.host}:${relay.address.port}`;
  await using client = await TopicClient.connect({
    address,
    retry: { minDelayMs: 1, maxDelayMs: 20 },
  });
  await client.createTopic("t", { partitions: 2 });
  isBad = true;
  await using producer = client.producer({ idempotent: true, maxMessages: 5, lingerMs: 1 });
  const sent: TopicPosition[] = [];
  while (sent.length < 600 || cuts < 10) {
    const from = sent.length;
    const some = Array.from({ length: 30 }, (_, i) => {
      return producer.send("t", { value: `${from + i}`, partition: i % 2 });
    });
    sent.push(...await Promise.all(some));
  }
  isBad = false;
  assertKept(sent, await read(client, "t", sent.length), 2);
});

Deno.test("a group goes on where it was, also when its program comes back to another leader", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const address = servers.agents.map(addressIn).join(",");
  await using client = await TopicClient.connect({ address });
  await client.createTopic("t", { partitions: 2 });
  await using producer = client.producer({ idempotent: true });
  await Promise.all(Array.from({ length: 200 }, (_, i) => {
    return producer.send("t", { value: `${i}`, partition: i % 2 });
  }));
  const seen: TopicMessage[] = [];
  const takeSome = async (count: number): Promise<void> => {
    await using consumer = client.consumer("t", { group: "g", maxBytes: 500 });
    for (let i = 0; i < count; i++) {
      seen.push(await consumer.fetchOne({ timeoutMs: 10_000 }) ?? assert.fail("no message"));
    }
    await consumer.commit();
  };
  await takeSome(77);
  await servers.end(name);
  await takeSome(123);
  for (const partition of [0, 1]) {
    const own = seen.filter((one) => one.partition === partition);
    assert.deepEqual(own.map(({ offset }) => offset), Array.from({ length: 100 }, (_, i) => i));
  }
  await using other = client.consumer("t", { group: "h", start: "latest" });
  assert.equal(await other.position(1), 100);
});

Deno.test("who waits for messages gets them as they are committed, from any server too", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const address = servers.agents.map(addressIn).join(",");
  await using client = await TopicClient.connect({ address });
  await client.createTopic("t");
  await using producer = client.producer({ lingerMs: 0 });
  const follower = servers.agents.find(({ config }) => config.nodeName !== name);
  await using near = await TopicClient.connect({ address: addressIn(follower) });
  for (const [from, options] of [[client, {}], [near, { anyServer: true }]] as const) {
    await using consumer = from.consumer("t", { start: "latest", ...options });
    await consumer.position(0);
    assert.equal(await consumer.fetchOne({ timeoutMs: 20 }), undefined);
    const waiting = consumer.fetchOne();
    const { offset } = await producer.send("t", { value: "now" });
    assert.equal((await waiting)?.offset, offset);
  }
});

Deno.test("what nobody acknowledges goes to the leader all the same", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const name = await leaderOf(servers.agents);
  const follower = servers.agents.find(({ config }) => config.nodeName !== name);
  await using client = await TopicClient.connect({ address: addressIn(follower) });
  await client.createTopic("t", { partitions: 2 });
  await using producer = client.producer({ async: true, lingerMs: 1 });
  const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => {
    return producer.send("t", { value: `${i}`, partition: i % 2 });
  }));
  assert.ok(sent.every(({ offset }) => offset === -1));
  const messages = await read(client, "t", 50);
  const values = messages.map(({ value }) => Number(value?.text())).sort((a, b) => a - b);
  assert.deepEqual(values, Array.from({ length: 50 }, (_, i) => i));
});

Deno.test("messages come back as they were sent, with nulls and without, through the log and from the disk", async () => {
  await using data = await folder();
  let agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  const value = new Uint8Array(300_000).map((_, i) => i * 7);
  const messages = [
    { key: null, value: null, timestamp: -1n },
    { key: "", value: "", timestamp: 1_800_000_000_123_456_789n },
    { key: "k", value, headers: [["b", "1"], ["a", ""], ["b", value.subarray(0, 9)]] as const },
    { value: "time", headers: {} },
  ];
  const shown = ({ key, value, headers, timestampNs }: TopicMessage): unknown => ({
    key: key === null ? null : [...key],
    value: value === null ? null : [...value],
    headers: headers.map(([name, bytes]) => [name, [...bytes]]),
    timestampNs,
  });
  let before: unknown[];
  try {
    await using client = await TopicClient.connect({ address: addressIn(agent) });
    await using producer = client.producer();
    await Promise.all(messages.map((message) => producer.send("t", message)));
    const seen = await read(client, "t", 4);
    assert.deepEqual(seen.map(({ offset }) => offset), [0, 1, 2, 3]);
    assert.deepEqual(seen.slice(0, 2).map(({ key, value }) => [key, value?.length]), [
      [null, undefined],
      [seen[1]!.key, 0],
    ]);
    assert.equal(seen[1]!.key?.length, 0);
    assert.deepEqual(seen.slice(0, 2).map(({ timestampNs }) => timestampNs), [
      -1n,
      1_800_000_000_123_456_789n,
    ]);
    assert.deepEqual([...seen[2]!.value!], [...value]);
    assert.deepEqual(seen[2]!.headers.map(([name, bytes]) => [name, bytes.length]), [
      ["b", 1],
      ["a", 0],
      ["b", 9],
    ]);
    assert.ok(Math.abs(seen[3]!.timestamp - Date.now()) < 60_000, "the time of the server");
    before = seen.map(shown);
  } finally {
    await agent.shutdown();
  }
  agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  try {
    await using client = await TopicClient.connect({ address: addressIn(agent) });
    assert.deepEqual((await read(client, "t", 4)).map(shown), before);
  } finally {
    await agent.shutdown();
  }
});

Deno.test("a program shows its token on each connection, over TLS, and may do what that may", async () => {
  const access = await accessOf([
    { name: "producer", publish: ["orders"] },
    { name: "consumer", subscribe: ["orders"] },
    { name: "maker", write: ["^"] },
  ]);
  const tls = new TlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
  await using stage = serveTopics(HOST, { access, tls });
  const { hostname, port } = stage.port.address;
  const as = (token: string): Promise<TopicClient> =>
    TopicClient.connect({
      address: `${hostname}:${port}`,
      token,
      tls: { caCerts: [CERTIFICATE], serverName: "localhost" },
      idleMs: 50,
    });
  await assert.rejects(as("wrong"), { name: "TopicError", reason: "AUTHENTICATION_FAILED" });
  await assert.rejects(
    TopicClient.connect({ address: `${hostname}:${port}`, token: "maker-token", tls: true }),
    ConnectError,
  );
  await using maker = await as("maker-token");
  await maker.createTopic("orders", { partitions: 2 });
  await maker.createTopic("secrets");
  await using client = await as("producer-token");
  await using producer = client.producer({ idempotent: true, lingerMs: 0 });
  await producer.send("orders", { value: "a", partition: 1 });
  await assert.rejects(producer.send("secrets", { value: "b" }), {
    reason: "AUTHORIZATION_FAILED",
  });
  assert.deepEqual(await client.listTopics(), [{ name: "orders", partitions: 2 }]);
  await using reader = await as("consumer-token");
  await using consumer = reader.consumer("orders", { group: "g" });
  assert.equal((await consumer.fetchOne())?.value?.text(), "a");
  await consumer.commit();
  await assert.rejects(reader.createTopic("more"), { reason: "AUTHORIZATION_FAILED" });
  // Connections that were closed for want of use are opened again, with the token.
  await until(() => client.statistics.connections === 0);
  await producer.send("orders", { value: "c", partition: 1 });
  assert.equal((await consumer.fetchOne())?.value?.text(), "c");
});
