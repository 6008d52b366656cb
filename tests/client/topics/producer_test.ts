/**
 * Producers at scripted servers: batches, order, failures, and what is there once.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectionClosedError,
  OutcomeUnknownError,
  QueueFullError,
  TimeoutError,
  TopicClient,
  type TopicConnectOptions,
  TopicError,
  type TopicPosition,
} from "../../../client/mod.ts";
import { CODE, FLAG, readMessages, type Request } from "../../../protocol/topics/mod.ts";
import { eventually } from "../../support/agents.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import { type ScriptedTopics, serveTopics } from "../../support/topics/scripted_server.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

function connect(server: ScriptedTopics, options: TopicConnectOptions = {}): Promise<TopicClient> {
  return TopicClient.connect({ address: server.address, retry: { minDelayMs: 5 }, ...options });
}

type Produce = Extract<Request, { readonly kind: "produce" }>;

function producesOf(server: ScriptedTopics): Produce[] {
  return server.received.filter((request): request is Produce => request.kind === "produce");
}

/** The values of a batch. */
function valuesOf({ body }: Produce): string[] {
  return readMessages(body.messages, true).map(({ value }) => new TextDecoder().decode(value!));
}

const range = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

Deno.test("a message is sent with all that it has, and its promise tells where it is", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 3);
  await using client = await connect(server);
  await using producer = client.producer({ lingerMs: 0 });
  const headers = [["b", "1"], ["a", Uint8Array.of(2)], ["b", "3"]] as const;
  const position = await producer.send("t", {
    key: "k",
    value: null,
    headers,
    timestamp: 1_800_000_000_123_456_789n,
    partition: 2,
  });
  assert.deepEqual(position, { partition: 2, offset: 0 });
  assert.deepEqual(await producer.send("t", { value: "", partition: 2, timestamp: 5.5 }), {
    partition: 2,
    offset: 1,
  });
  const [first, second] = server.model.partition("t", 2).messages;
  const encoder = new TextEncoder();
  assert.deepEqual(first, {
    offset: 0,
    timestamp: 1_800_000_000_123_456_789n,
    key: encoder.encode("k"),
    value: null,
    headers: headers.map(([name, value]) => {
      return [name, typeof value === "string" ? encoder.encode(value) : value];
    }),
  });
  assert.deepEqual([second?.key, second?.value?.length, second?.timestamp], [null, 0, 5_500_000n]);
  // A topic that is not there has one partition, once it is.
  assert.deepEqual(await producer.send("new", { key: "k", value: "v" }), {
    partition: 0,
    offset: 0,
  });
});

Deno.test("a message is there only once the server has said so, and fails when it refuses", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  await using producer = client.producer({ lingerMs: 0 });
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    held.push(() => connection.answer(request));
    return true;
  };
  let settled = false;
  const sent = producer.send("t", { value: "a" }).finally(() => settled = true);
  await until(() => held.length === 1);
  assert.equal((await client.metadata()).topics.length, 1);
  assert.equal(settled, false);
  held[0]!();
  assert.deepEqual(await sent, { partition: 0, offset: 0 });
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    connection.refuse(request, CODE.STORAGE_FULL, "disk full");
    return true;
  };
  await assert.rejects(producer.send("t", { value: "b" }), {
    name: "TopicError",
    reason: "STORAGE_FULL",
    code: 105,
    message: "Disk full",
  });
  await assert.rejects(
    producer.send("t", { value: new Uint8Array(5 * 1024 * 1024) }),
    { reason: "MESSAGE_TOO_LARGE" },
  );
  assert.equal(producesOf(server).length, 2);
  assert.deepEqual(producer.statistics, {
    messages: 1,
    failures: 1,
    batches: 2,
    retries: 0,
    bytes: 58,
    wireBytes: 58,
    bufferedBytes: 0,
  });
});

Deno.test("flush sends what is there and waits for it; close does the same and takes no more", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  await using client = await connect(server);
  const producer = client.producer({ lingerMs: 60_000 });
  const positions: TopicPosition[] = [];
  const send = (value: string, partition: number): void => {
    producer.send("t", { value, partition }).then((at) => positions.push(at));
  };
  send("a", 0);
  send("b", 1);
  send("c", 0);
  await producer.flush();
  assert.deepEqual(positions, [
    { partition: 0, offset: 0 },
    { partition: 0, offset: 1 },
    { partition: 1, offset: 0 },
  ]);
  send("d", 1);
  await producer.close();
  assert.deepEqual(positions.at(-1), { partition: 1, offset: 1 });
  await assert.rejects(producer.send("t", { value: "e" }), ConnectionClosedError);
  await producer.close();
  await producer.flush();
  assert.deepEqual(server.model.values("t", 0), ["a", "c"]);
});

Deno.test("flush waits for what is under way alone, also while it is open what becomes of a batch that failed", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    held.push(() => connection.answer(request));
    if (held.length === 1) return true;
    if (held.length === 2) connection.refuse(request, CODE.STORAGE_FULL, "full");
    return held.length === 2;
  };
  await using producer = client.producer({ maxMessages: 1 });
  const [first, second, third] = range(3).map((value) => producer.send("t", { value }));
  const refused = assert.rejects(second!, TopicError);
  await third;
  const flushed = producer.flush({ timeoutMs: 10_000 });
  held[0]!();
  await Promise.all([flushed, first, refused]);
});

Deno.test("a batch leaves when it is full, has enough bytes, or has waited", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  const batches = async (
    options: Parameters<TopicClient["producer"]>[0],
    values: readonly string[],
  ): Promise<number[]> => {
    server.received.length = 0;
    await using producer = client.producer(options);
    // Close would send what is left: here it has to leave by itself.
    await Promise.all(values.map((value) => producer.send("t", { value, partition: 0 })));
    return producesOf(server).map(({ body }) => body.messages.count);
  };
  assert.deepEqual(await batches({ lingerMs: 20 }, range(250)), [100, 100, 50]);
  assert.deepEqual(await batches({ maxMessages: 2, lingerMs: 60_000 }, range(4)), [2, 2]);
  // 28 bytes beside the value: the third would make it 114.
  const values = ["0123456789", "0123456789", "0123456789", "0123456789"];
  assert.deepEqual(await batches({ maxBytes: 80, lingerMs: 20 }, values), [2, 2]);
  const large = "x".repeat(100);
  assert.deepEqual(await batches({ maxBytes: 80, lingerMs: 60_000 }, [large, large]), [1, 1]);
  const started = performance.now();
  assert.deepEqual(await batches({ lingerMs: 50 }, range(3)), [3]);
  assert.ok(performance.now() - started >= 45);
});

Deno.test("messages of one key stay in one partition, those without go batch by batch", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 4);
  await using client = await connect(server);
  await using producer = client.producer({ maxMessages: 10, lingerMs: 5 });
  const keyed = await Promise.all(
    range(200).map((i) => {
      return producer.send("t", { key: `key-${Number(i) % 20}`, value: i });
    }),
  );
  for (let key = 0; key < 20; key++) {
    const own = keyed.filter((_, i) => i % 20 === key).map(({ partition }) => partition);
    assert.equal(new Set(own).size, 1);
  }
  assert.equal(new Set(keyed.map(({ partition }) => partition)).size, 4);
  // By the CRC-32 of the key: others do the same.
  server.model.create("five", 5);
  const { partition } = await producer.send("five", { key: "123456789", value: "" });
  assert.equal(partition, 0xcbf43926 % 5);
  const free = await Promise.all(range(40).map((value) => producer.send("t", { value })));
  const runs = [0, 10, 20, 30].map((at) =>
    new Set(free.slice(at, at + 10).map((p) => p.partition))
  );
  assert.ok(runs.every(({ size }) => size === 1));
  assert.equal(new Set(free.map(({ partition }) => partition)).size, 4);
});

Deno.test("five batches of a partition are under way at once, and no sixth", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    held.push(() => connection.answer(request));
    return true;
  };
  await using producer = client.producer({ maxMessages: 1 });
  const sent = Promise.all(range(12).map((value) => producer.send("t", { value })));
  await until(() => held.length === 5);
  await client.health();
  assert.equal(held.length, 5);
  for (let at = 0; at < 12; at++) {
    await until(() => held.length > at);
    assert.ok(held.length <= at + 5);
    held[at]!();
  }
  assert.deepEqual((await sent).map(({ offset }) => offset), range(12).map(Number));
  assert.deepEqual(server.model.values("t", 0), range(12));
});

Deno.test("a topic that has other partitions than before is asked about again", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 5);
  await using client = await connect(server);
  await using producer = client.producer({ lingerMs: 0 });
  const send = () => producer.send("t", { key: "123456789", value: "" });
  const { partition } = await send();
  assert.ok(partition > 0);
  server.model.create("t", 1);
  await assert.rejects(send(), { reason: "PARTITION_NOT_FOUND" });
  assert.deepEqual(await send(), { partition: 0, offset: 0 });
});

Deno.test("batches of a partition share a connection, so that they come in order", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 3);
  await using client = await connect(server, { connections: 2 });
  const connections = new Map<number, Set<number>>();
  server.script = (request, { number }) => {
    if (request.kind !== "produce") return;
    const { partition } = request.body;
    connections.set(partition, (connections.get(partition) ?? new Set()).add(number));
  };
  await using producer = client.producer({ maxMessages: 1 });
  await Promise.all(
    range(30).map((value) => {
      return producer.send("t", { value, partition: Number(value) % 3 });
    }),
  );
  assert.deepEqual([...connections.values()].map(({ size }) => size), [1, 1, 1]);
  assert.equal(server.accepted, 2);
});

Deno.test("what was certainly not done is sent again, in order and once", async () => {
  const random = new SeededRandom(SEED);
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server, { retry: { minDelayMs: 1, maxDelayMs: 5 } });
  // A server that is overloaded takes no batch until all that it was sent are refused.
  let refusing = 0;
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    if (refusing === 0 && below(random, 4) === 0) refusing = 1 + below(random, 5);
    if (refusing === 0) return false;
    refusing--;
    connection.refuse(request, CODE.OVERLOADED);
    return true;
  };
  await using producer = client.producer({ maxMessages: 3, lingerMs: 1 });
  const results = await Promise.allSettled(
    range(300).map((value) => producer.send("t", { value })),
  );
  const kept = server.model.values("t", 0);
  assert.deepEqual(kept, kept.toSorted((a, b) => Number(a) - Number(b)), `seed ${SEED}`);
  results.forEach((result, i) => {
    if (result.status === "fulfilled") assert.equal(kept[result.value.offset], `${i}`);
    // Another one has overtaken it: it would be out of order.
    else assert.ok(result.reason instanceof TopicError && !kept.includes(`${i}`), `seed ${SEED}`);
  });
  assert.equal(new Set(kept).size, kept.length);
  assert.ok(kept.length > 150 && producer.statistics.retries > 0);
});

Deno.test("without an identity nothing is sent twice: a lost answer is an outcome that is not known", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  await using producer = client.producer({ lingerMs: 0 });
  server.script = (request) => {
    if (request.kind !== "produce") return false;
    server.model.answer(request);
    server.hangUp();
    return true;
  };
  await assert.rejects(producer.send("t", { value: "a" }), (error) => {
    return error instanceof OutcomeUnknownError && error.cause instanceof ConnectionClosedError;
  });
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    connection.refuse(request, CODE.REQUEST_TIMEOUT);
    return true;
  };
  await assert.rejects(producer.send("t", { value: "b" }), OutcomeUnknownError);
  assert.equal(producesOf(server).length, 2);
  assert.deepEqual(server.model.values("t", 0), ["a"]);
  server.script = () => false;
  assert.deepEqual(await producer.send("t", { value: "c" }), { partition: 0, offset: 1 });
});

Deno.test("with an identity each message is there once and in order, whatever is lost", async () => {
  const random = new SeededRandom(SEED);
  await using server = serveTopics(HOST);
  server.model.create("t", 2);
  await using client = await connect(server, { retry: { minDelayMs: 1, maxDelayMs: 5 } });
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    switch (below(random, 8)) {
      case 0: // The answer is lost.
        try {
          server.model.answer(request);
        } catch {
          // It was out of its turn.
        }
        server.hangUp();
        return true;
      case 1: // The request is lost.
        server.hangUp();
        return true;
      case 2:
        connection.refuse(request, [CODE.OVERLOADED, CODE.REQUEST_TIMEOUT][below(random, 2)]!);
        return true;
      default:
        return false;
    }
  };
  await using producer = client.producer({ idempotent: true, maxMessages: 3, lingerMs: 1 });
  const sent = await Promise.all(
    range(400).map((value) => {
      return producer.send("t", { value, partition: Number(value) % 2 });
    }),
  );
  for (const partition of [0, 1]) {
    const own = range(400).filter((value) => Number(value) % 2 === partition);
    assert.deepEqual(server.model.values("t", partition), own, `seed ${SEED}`);
  }
  sent.forEach(({ partition, offset }, i) => {
    assert.equal(server.model.values("t", partition)[offset], `${i}`);
  });
  assert.ok(producer.statistics.retries > 0);
  const ids = new Set(producesOf(server).map(({ body }) => body.producer?.id));
  assert.equal(ids.size, 1, "one identity for all partitions");
});

Deno.test("after a batch that failed for good the next ones have an identity of their own", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  server.script = (request, connection) => {
    if (request.kind !== "produce" || !valuesOf(request).includes("bad")) return false;
    connection.refuse(request, CODE.MESSAGE_TOO_LARGE);
    return true;
  };
  await using producer = client.producer({ idempotent: true, maxMessages: 1 });
  const values = ["a", "bad", "b", "c"];
  const results = await Promise.allSettled(values.map((value) => producer.send("t", { value })));
  assert.deepEqual(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  assert.deepEqual(server.model.values("t", 0), ["a", "b", "c"]);
  const last = producesOf(server).at(-1)?.body.producer;
  assert.deepEqual(last, { id: 2, epoch: 0, baseSequence: 1 });
});

Deno.test("a server that knows the producer no more gets the messages under another identity", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  await using producer = client.producer({ idempotent: true, lingerMs: 0 });
  await producer.send("t", { value: "a" });
  server.script = (request, connection) => {
    if (request.kind !== "produce" || request.body.producer?.id !== 1) return false;
    connection.refuse(request, CODE.UNKNOWN_PRODUCER);
    return true;
  };
  assert.deepEqual(await producer.send("t", { value: "b" }), { partition: 0, offset: 1 });
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    connection.refuse(request, CODE.PRODUCER_FENCED);
    return true;
  };
  await assert.rejects(producer.send("t", { value: "c" }), { reason: "PRODUCER_FENCED" });
});

Deno.test("a batch that cannot be sent in time fails, with what went wrong last", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  await using producer = client.producer({ lingerMs: 0, timeoutMs: 100 });
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    connection.refuse(request, CODE.OVERLOADED, "too much");
    return true;
  };
  await assert.rejects(producer.send("t", { value: "a" }), (error) => {
    return error instanceof TimeoutError && error.cause instanceof TopicError;
  });
  server.script = ({ kind }) => kind === "produce";
  // The first five are sent; the others have waited for them in vain.
  await using narrow = client.producer({ lingerMs: 0, maxMessages: 1, timeoutMs: 100 });
  const results = await Promise.allSettled(range(7).map((value) => narrow.send("t", { value })));
  const names = results.map((result) => result.status === "rejected" && result.reason.name);
  assert.deepEqual(names, [
    ...Array(5).fill("OutcomeUnknownError"),
    "TimeoutError",
    "TimeoutError",
  ]);
  assert.equal(server.model.values("t", 0).length, 0);
});

Deno.test("messages beyond the buffer wait for room, and more of them are refused", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== "produce") return false;
    held.push(() => connection.answer(request));
    return true;
  };
  // 28 bytes beside a value of 72: two fit, two wait.
  await using producer = client.producer({ bufferBytes: 200, maxMessages: 1 });
  const value = new Uint8Array(72);
  await producer.ready();
  const sent = [producer.send("t", { value }), producer.send("t", { value })];
  let isReady = false;
  const ready = producer.ready().then(() => isReady = true);
  await assert.rejects(producer.ready({ timeoutMs: 10 }), TimeoutError);
  sent.push(producer.send("t", { value }), producer.send("t", { value }));
  // What waits was taken as it was.
  value.fill(1);
  await assert.rejects(producer.send("t", { value }), QueueFullError);
  await until(() => held.length === 2);
  assert.equal(producer.statistics.bufferedBytes, 400);
  assert.equal(isReady, false);
  const flushed = producer.flush();
  for (let at = 0; at < 4; at++) {
    await until(() => held.length > at);
    held[at]!();
  }
  await Promise.all([...sent, ready, flushed]);
  assert.ok(
    server.model.partition("t", 0).messages.every(({ value }) => value!.every((b) => b === 0)),
  );
  assert.equal(producer.statistics.bufferedBytes, 0);
});

Deno.test("an async producer asks for no reply, and says no offset", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  server.model.servers = [{
    id: "a",
    host: HOST,
    port: Number(server.address.split(":")[1]),
    role: 1,
  }];
  server.model.leader = "a";
  await using client = await connect(server);
  await using producer = client.producer({ async: true, lingerMs: 0 });
  assert.deepEqual(await producer.send("t", { value: "a" }), { partition: 0, offset: -1 });
  await until(() => server.model.values("t", 0).length === 1);
  assert.equal(producesOf(server)[0]!.flags & FLAG.async, FLAG.async);
  // It has learned who leads when it asked for the partitions.
  await producer.send("t", { value: "b" });
  assert.equal(server.received.filter(({ kind }) => kind === "metadata").length, 1);
});

Deno.test("what nobody acknowledges goes to another leader soon, although the one before says nothing", async () => {
  await using one = serveTopics(HOST);
  await using two = serveTopics(HOST, { model: one.model });
  one.model.create("t", 1);
  const portOf = ({ address }: { address: string }) => Number(address.split(":")[1]);
  one.model.servers = [one, two].map((server, i) => {
    return { id: `${i}`, host: HOST, port: portOf(server), role: 1 };
  });
  one.model.leader = "0";
  await using client = await connect(one);
  await using producer = client.producer({ async: true, lingerMs: 0 });
  await producer.send("t", { value: "a" });
  await until(() => one.model.values("t", 0).length === 1);
  one.model.leader = "1";
  one.script = (request, connection) => {
    connection.refuse(request, CODE.NOT_LEADER, `1 ${two.address}`);
    return true;
  };
  await eventually("the other one gets it", async () => {
    await producer.send("t", { value: "b" });
    return one.model.values("t", 0).length > 1;
  });
});

Deno.test("a client that is closed leaves nothing under way", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  server.script = ({ kind }) => kind === "produce";
  const client = await connect(server);
  const producer = client.producer({ maxMessages: 1, idempotent: true });
  const waiting = client.producer({ lingerMs: 60_000 });
  const sent = Promise.allSettled([
    ...range(8).map((value) => producer.send("t", { value })),
    waiting.send("t", { value: "x" }),
  ]);
  await until(() => producesOf(server).length === 5);
  await client.close();
  const reasons = (await sent).map((result) => result.status === "rejected" && result.reason);
  assert.ok(reasons.slice(0, 5).every((reason) => reason instanceof OutcomeUnknownError));
  assert.ok(reasons.slice(5).every((reason) => reason instanceof ConnectionClosedError));
  await assert.rejects(producer.send("t", { value: "y" }), ConnectionClosedError);
});

Deno.test("a signal gives up waiting, not the message", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect(server);
  await using producer = client.producer({ lingerMs: 20 });
  const gone = new Error("Gone");
  const given = new AbortController();
  const sent = producer.send("t", { value: "a" }, { signal: given.signal });
  given.abort(gone);
  await assert.rejects(sent, gone);
  await assert.rejects(producer.send("t", { value: "b" }, { signal: given.signal }), gone);
  await producer.flush();
  assert.deepEqual(server.model.values("t", 0), ["a"]);
});

Deno.test("what a program hands over is checked", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect(server);
  await using producer = client.producer();
  // deno-lint-ignore no-explicit-any
  const send = (topic: any, message: any) => () => producer.send(topic, message);
  const wrong = [
    [send("a/b", { value: "" }), TypeError, /name of a topic.*'a\/b'/],
    [send("..", { value: "" }), TypeError, /'\.\.'/],
    [send(7, { value: "" }), TypeError, /expected a string, got number 7/],
    [send("t", "text"), TypeError, /Invalid message: expected an object/],
    [send("t", { value: 7 }), TypeError, /Invalid payload: expected a string/],
    [send("t", {}), TypeError, /got undefined/],
    [send("t", { value: "", kye: "k" }), TypeError, /Unknown member 'kye' of message/],
    [send("t", { value: "", partition: -1 }), TypeError, /partition/],
    [send("t", { value: "", timestamp: NaN }), TypeError, /timestamp/],
    [send("t", { value: "", timestamp: 2n ** 63n }), RangeError, /64 bits/],
    [send("t", { value: "", headers: { a: null } }), TypeError, /header 'a'/],
  ] as const;
  for (const [call, kind, text] of wrong) {
    await assert.rejects(call, (error: Error) => {
      assert.match(error.message, text);
      return error instanceof kind;
    });
  }
  assert.throws(() => client.producer({ maxInFlight: 6 }), RangeError);
  assert.throws(() => client.producer({ idempotent: true, async: true }), TypeError);
  assert.throws(() => client.producer({ maxBytes: 0 }), RangeError);
  assert.throws(() => client.producer({ linger: 1 } as never), /Unknown option 'linger'/);
  assert.throws(
    () => client.consumer("t", { offset: 1 } as never),
    /'offset' of consumer: expected group, partitions, start, onOutOfRange, autoCommitMs/,
  );
  await assert.rejects(
    TopicClient.connect({ host: "x" } as never),
    /'host' of connect: expected address, name, token, tls, .*, retry/,
  );
});
