/**
 * Connections of a client of topics: shared, replaced, limited; the way to the server that leads, and the tries.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectError,
  ConnectionClosedError,
  OutcomeUnknownError,
  TimeoutError,
  TopicClient,
  type TopicConnectOptions,
  TopicError,
} from "../../../client/mod.ts";
import { dial } from "../../../client/net/dial.ts";
import { clientSettings, producerSettings } from "../../../client/topics/options.ts";
import { Producer } from "../../../client/topics/producer/producer.ts";
import { Cluster } from "../../../client/topics/wire/cluster.ts";
import {
  MAX_IN_FLIGHT,
  MAX_WAITING_IN_FLIGHT,
  TopicConnection,
} from "../../../client/topics/wire/connection.ts";
import { Connections } from "../../../client/topics/wire/connections.ts";
import { delayAfter, remedyFor, Tries, UnsentError } from "../../../client/topics/wire/retry.ts";
import { CODE, FLAG, FrameWriter, type Request, writeReply } from "../../../protocol/topics/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import {
  type ScriptedTopics,
  serveTopics,
  type TopicConnectionEnd,
  type TopicScript,
} from "../../support/topics/scripted_server.ts";

const HOST = loopback();
const QUICK = { minDelayMs: 1, maxDelayMs: 10 };

function connect(
  servers: readonly ScriptedTopics[],
  options: TopicConnectOptions = {},
): Promise<TopicClient> {
  const address = servers.map(({ address }) => address).join(",");
  return TopicClient.connect({ address, retry: QUICK, ...options });
}

/** Keeps requests of one kind until they are let go on, in any order. */
function holding(server: ScriptedTopics, kind: Request["kind"]): (() => void)[] {
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== kind) return false;
    held.push(() => connection.answer(request));
    return true;
  };
  return held;
}

Deno.test("replies come in any order, each to its own request", async () => {
  await using server = serveTopics(HOST);
  for (let i = 0; i < 20; i++) server.model.create(`t${i}`, 1 + i);
  await using client = await connect([server]);
  const held = holding(server, "metadata");
  const asked = Array.from({ length: 20 }, (_, i) => client.metadata([`t${i}`]));
  await until(() => held.length === 20);
  for (const goOn of held.reverse()) goOn();
  const counts = (await Promise.all(asked)).map(({ topics }) => topics[0]?.partitions.length);
  assert.deepEqual(counts, Array.from({ length: 20 }, (_, i) => 1 + i));
  assert.equal(server.accepted, 1);
});

Deno.test("a reply that comes too late, or to nobody, is no other request's", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server]);
  const held = holding(server, "listTopics");
  await assert.rejects(client.listTopics({ timeoutMs: 30 }), TimeoutError);
  const given = AbortSignal.abort(new Error("Gone"));
  await assert.rejects(client.listTopics({ signal: given }), /Gone/);
  server.model.create("t", 1);
  const next = client.listTopics();
  await until(() => held.length === 2);
  server.script = (request, connection) => {
    const writer = new FrameWriter();
    writeReply(writer, 1_000, "healthCheck", 2, { status: "nobody's", uptimeSeconds: 1 });
    connection.sendBytes(writer.finish());
    connection.answer(request);
    return true;
  };
  held[0]!();
  assert.deepEqual(await client.health(), { healthy: true, uptimeSeconds: 1 });
  held[1]!();
  assert.deepEqual(await next, [{ name: "t", partitions: 1 }]);
  assert.equal(server.accepted, 1);
});

Deno.test("256 requests are under way, and more wait for a place as long as their time allows", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server]);
  const held = holding(server, "listTopics");
  const asked = Array.from({ length: 300 }, () => client.listTopics());
  await until(() => held.length === 256);
  await assert.rejects(client.health({ timeoutMs: 50 }), (error) => {
    return error instanceof TimeoutError && error.cause instanceof UnsentError;
  });
  assert.equal(held.length, 256);
  for (let at = 0; at < 300; at++) {
    await until(() => held.length > at);
    held[at]!();
  }
  assert.equal((await Promise.all(asked)).length, 300);
  assert.equal(server.received.filter(({ kind }) => kind === "healthCheck").length, 0);
});

Deno.test("what is answered at once is not held up by those who wait for messages, however many they are", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 2 * MAX_IN_FLIGHT);
  await using client = await connect([server]);
  const consumer = client.consumer("t", { maxWaitMs: 60_000 });
  const waiting = consumer.fetchOne({ timeoutMs: 60_000 });
  const fetches = () => server.received.filter(({ kind }) => kind === "fetch").length;
  await until(() => fetches() === MAX_WAITING_IN_FLIGHT);
  assert.equal((await client.listTopics({ timeoutMs: 5_000 })).length, 1);
  await using producer = client.producer({ lingerMs: 0, timeoutMs: 5_000 });
  await producer.send("t", { value: "a", partition: 0 });
  assert.equal((await waiting)?.value?.text(), "a");
  // Its place has another one.
  await until(() => fetches() > MAX_WAITING_IN_FLIGHT);
  await consumer.close();
});

Deno.test("there are as many connections to a server as the program wants, at most", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server], { connections: 3 });
  const held = holding(server, "listTopics");
  const asked = Array.from({ length: 9 }, () => client.listTopics());
  await until(() => held.length === 9);
  assert.equal(server.accepted, 3);
  assert.equal(client.statistics.connections, 3);
  for (const goOn of held) goOn();
  await Promise.all(asked);
  await assert.rejects(connect([server], { connections: 6 }), RangeError);
});

Deno.test("a connection that nobody needs is closed, one in use is not, and a new one follows", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server], { idleMs: 60, connections: 2 });
  const held = holding(server, "listTopics");
  const asked = [client.listTopics(), client.listTopics()];
  await until(() => held.length === 2);
  assert.equal(server.open, 2);
  held[0]!();
  await until(() => server.open === 1);
  assert.equal(client.statistics.connections, 1);
  held[1]!();
  await Promise.all(asked);
  await until(() => server.open === 0);
  assert.equal((await client.health()).healthy, true);
  assert.equal(server.accepted, 3);
});

Deno.test("a connection that drops fails what changes something, and all else goes on at the next one", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect([server]);
  const held = holding(server, "deleteTopic");
  const reading = holdingAlso(server, "listTopics");
  const deleted = client.deleteTopic("t");
  const listed = client.listTopics();
  await until(() => held.length + reading.length === 2);
  server.script = () => false;
  server.hangUp();
  await assert.rejects(deleted, (error) => {
    return error instanceof OutcomeUnknownError && error.cause instanceof ConnectionClosedError;
  });
  assert.deepEqual(await listed, [{ name: "t", partitions: 1 }]);
  assert.equal(server.accepted, 2);
});

/** {@linkcode holding}, beside what is held already. */
function holdingAlso(server: ScriptedTopics, kind: Request["kind"]): (() => void)[] {
  const before = server.script;
  const held: (() => void)[] = [];
  server.script = (request, connection) => {
    if (request.kind !== kind) return before(request, connection);
    held.push(() => connection.answer(request));
    return true;
  };
  return held;
}

Deno.test("a server that says nothing any more is left before the time of a request is over, one that is only slow is not", async () => {
  await using server = serveTopics(HOST);
  const traffic = { requests: 0, failures: 0, retries: 0, bytesSent: 0, bytesReceived: 0 };
  const socket = await dial(server.address, { timeoutMs: 5_000 });
  const connection = new TopicConnection(socket, traffic, 200);
  server.script = ({ kind }) => kind === "listTopics";
  await assert.rejects(connection.call("listTopics", {}, { timeoutMs: 20 }), TimeoutError);
  assert.equal(connection.isClosed, false, "it was not silent for long enough");
  await assert.rejects(connection.call("listTopics", {}, { timeoutMs: 700 }), TimeoutError);
  assert.equal(connection.isClosed, false, "it has shown that it lives");
  server.script = () => true;
  const started = performance.now();
  await assert.rejects(connection.call("listTopics", {}, { timeoutMs: 30_000 }), {
    name: "ConnectionClosedError",
  });
  assert.ok(performance.now() - started < 10_000);
  assert.match((await connection.closed)?.cause + "", /Server says nothing/);
});

Deno.test("a leader that stands still is left for the next one, and an idempotent message is there once", async () => {
  const one = serveTopics(HOST);
  await using two = serveTopics(HOST, { model: one.model });
  one.model.create("t", 1);
  const traffic = { requests: 0, failures: 0, retries: 0, bytesSent: 0, bytesReceived: 0 };
  const open = async (address: string): Promise<TopicConnection> =>
    new TopicConnection(await dial(address, { timeoutMs: 5_000 }), traffic, 200);
  const connections = new Connections({ open, perServer: 1, idleMs: 60_000 });
  const addresses = [one.address, two.address];
  const settings = { addresses, timeoutMs: 30_000, retries: Infinity, ...QUICK };
  const cluster = new Cluster(connections, settings, traffic);
  const producer = new Producer(
    cluster,
    producerSettings({ idempotent: true, lingerMs: 0 }, clientSettings({})),
    () => {},
  );
  await producer.send("t", { value: "a" });
  // What it is asked is done, and it says nothing of that, as of all else.
  one.script = (request) => {
    if (request.kind === "produce") one.model.answer(request);
    return true;
  };
  assert.equal((await producer.send("t", { value: "b" })).offset, 1);
  await cluster.close();
  await one[Symbol.asyncDispose]();
});

Deno.test("a connection all of whose places wait for a silent server is given up", async () => {
  await using server = serveTopics(HOST);
  const traffic = { requests: 0, failures: 0, retries: 0, bytesSent: 0, bytesReceived: 0 };
  const socket = await dial(server.address, { timeoutMs: 5_000 });
  const connection = new TopicConnection(socket, traffic, 300);
  server.script = () => true;
  const ask = (timeoutMs: number) => connection.call("listTopics", {}, { timeoutMs });
  for (let i = 0; i < MAX_IN_FLIGHT; i++) ask(20).catch(() => {});
  await assert.rejects(ask(50), UnsentError);
  assert.equal(connection.isClosed, false, "it was not silent for long enough");
  await assert.rejects(ask(350), UnsentError);
  await until(() => connection.isClosed);
  assert.match((await connection.closed)?.cause + "", /Server says nothing/);
});

Deno.test("a server that sends what is no reply loses its connection, and is asked again", async () => {
  const nonsense = [
    [Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0), /less than 15/],
    [Uint8Array.of(0xff, 0xff, 0xff, 0xff), /4294967295 of 10485760/],
    [new Uint8Array(19).fill(0, 0, 3).fill(15, 3, 4).fill(9, 4), /another checksum/],
  ] as const;
  for (const [bytes, reason] of nonsense) {
    await using server = serveTopics(HOST);
    await using client = await connect([server], { retry: { ...QUICK, retries: 1 } });
    server.script = (_, connection) => (connection.sendBytes(bytes), true);
    await assert.rejects(client.listTopics(), (error) => {
      assert.ok(error instanceof ConnectionClosedError);
      assert.match((error.cause as Error).message, reason);
      return true;
    });
    assert.equal(server.accepted, 2);
  }
});

Deno.test("a result that cannot be read is none: what was asked for may have been done", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  await using client = await connect([server], { retry: { ...QUICK, retries: 1 } });
  server.script = (request, connection) => {
    const writer = new FrameWriter();
    writeReply(writer, request.id, "healthCheck", 2, { status: "healthy", uptimeSeconds: 1 });
    connection.sendBytes(writer.finish());
    return true;
  };
  await assert.rejects(client.deleteTopic("t"), (error) => {
    return error instanceof OutcomeUnknownError && error.cause instanceof ConnectionClosedError;
  });
  await assert.rejects(client.listTopics(), ConnectionClosedError);
  assert.equal(server.accepted, 3);
});

Deno.test("only what may pass is tried again", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server]);
  const triesAfter = async (code: number): Promise<number> => {
    server.received.length = 0;
    server.script = (request, connection) => {
      if (server.received.length > 3) return false;
      connection.refuse(request, code);
      return true;
    };
    await client.listTopics().catch((error) => assert.equal(error.code, code));
    return server.received.length;
  };
  for (const [reason, code] of Object.entries(CODE)) {
    const passes = ["REQUEST_TIMEOUT", "NOT_COORDINATOR", "OVERLOADED"];
    const more = ["COORDINATOR_NOT_AVAILABLE", "CONCURRENT_TRANSACTIONS", "NOT_LEADER"];
    const expected = [...passes, ...more].includes(reason)
      ? 4
      : ["STORAGE_ERROR", "CHECKSUM_MISMATCH"].includes(reason)
      ? 2
      : 1;
    assert.equal(await triesAfter(code), expected, reason);
  }
  assert.equal(await triesAfter(999), 1);
});

Deno.test("pauses double up to a bound, a quarter more or less, and tries end", () => {
  const backoff = { minDelayMs: 100, maxDelayMs: 30_000 };
  for (let tries = 1; tries < 12; tries++) {
    const whole = Math.min(30_000, 100 * 2 ** (tries - 1));
    const delays = Array.from({ length: 200 }, () => delayAfter(tries, backoff));
    assert.ok(delays.every((delay) => delay >= whole * 0.75 && delay <= whole * 1.25));
    assert.ok(Math.max(...delays) - Math.min(...delays) > whole * 0.3);
  }
  const tries = new Tries({ ...backoff, retries: 2 }, 10_000);
  const busy = new TopicError(CODE.OVERLOADED, "");
  const moved = new TopicError(CODE.NOT_LEADER, "");
  assert.equal(tries.after(moved, false, true), 0);
  assert.ok(tries.after(busy, false, true)! >= 75);
  assert.ok(tries.after(moved, false, false)! >= 150);
  assert.equal(tries.after(busy, false, true), undefined);
  assert.equal(tries.wasOpen, false);
  assert.equal(tries.after(new TimeoutError("late"), false, true), undefined);
  assert.equal(tries.wasOpen, true);
  // Servers that point to each other are waited for.
  const hops = new Tries({ ...backoff, retries: Infinity }, 10_000);
  const delays = Array.from({ length: 8 }, () => hops.after(moved, false, true)!);
  assert.deepEqual(delays.map((delay) => delay > 0), [0, 0, 0, 1, 0, 0, 0, 1].map(Boolean));
  assert.equal(remedyFor(new Error("fault")), "none");
});

Deno.test("a request ends with its deadline, and tells what went wrong last", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server]);
  server.script = (request, connection) => (connection.refuse(request, CODE.OVERLOADED), true);
  const started = performance.now();
  await assert.rejects(client.listTopics({ timeoutMs: 150 }), (error) => {
    return error instanceof TimeoutError && (error.cause as TopicError).reason === "OVERLOADED";
  });
  assert.ok(performance.now() - started < 5_000);
  server.script = () => false;
  await client.listTopics();
  // The last try is cut short, which says less than what the server has said.
  let tries = 0;
  server.script = (request, connection) => {
    if (tries++ === 0) connection.refuse(request, CODE.OVERLOADED);
    return true;
  };
  await assert.rejects(client.listTopics({ timeoutMs: 150 }), (error) => {
    return error instanceof TimeoutError && (error.cause as TopicError).reason === "OVERLOADED";
  });
  assert.equal(tries, 2);
  server.script = () => true;
  await assert.rejects(client.listTopics({ timeoutMs: 50 }), TimeoutError);
  await assert.rejects(client.deleteTopic("t", { timeoutMs: 50 }), OutcomeUnknownError);
  const gone = new Error("Gone");
  const given = new AbortController();
  const asked = client.listTopics({ signal: given.signal });
  given.abort(gone);
  await assert.rejects(asked, gone);
});

Deno.test("what had no answer in time says what kept it from being done", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server]);
  const lateBecause = async (script: TopicScript, reason: string): Promise<void> => {
    server.script = script;
    const text = `"listTopics" was not done within 100 ms: ${reason}`;
    await assert.rejects(client.listTopics({ timeoutMs: 100 }), new TimeoutError(text));
  };
  const refusing = (code: number, text = ""): TopicScript => (request, connection) => {
    connection.refuse(request, code, text);
    return true;
  };
  await lateBecause(refusing(CODE.NOT_LEADER), "No server is known to lead");
  await lateBecause(
    refusing(CODE.NOT_LEADER, `a ${HOST}:1`),
    `The server that leads, at ${HOST}:1, is not reached`,
  );
  await lateBecause(
    refusing(CODE.OVERLOADED, "There is too much to do"),
    "There is too much to do",
  );
  await lateBecause((_, connection) => (connection.close(), true), "Server closed the connection");
  // What a server has said counts for more than that none is reached.
  let asked = 0;
  await lateBecause((request, connection) => {
    if (asked++ === 0) connection.refuse(request, CODE.NOT_LEADER);
    else connection.close();
    return true;
  }, "No server is known to lead");
  const refuse = refusing(CODE.NOT_LEADER);
  server.script = (request, connection) => {
    return request.kind === "produce" && refuse(request, connection);
  };
  await using producer = client.producer({ timeoutMs: 100 });
  await assert.rejects(
    producer.send("t", { value: "x", partition: 0 }),
    new TimeoutError("Messages were not sent in time: No server is known to lead"),
  );
});

Deno.test("the client finds the server that leads by what the others say, and by asking around", async () => {
  await using one = serveTopics(HOST);
  await using two = serveTopics(HOST);
  await using three = serveTopics(HOST);
  const servers = [one, two, three];
  let leader = three;
  let hints = true;
  for (const server of servers) {
    server.script = (request: Request, connection: TopicConnectionEnd) => {
      if (server === leader) return false;
      connection.refuse(request, CODE.NOT_LEADER, hints ? `server-x ${leader.address}` : "");
      return true;
    };
  }
  // It knows only the first.
  await using client = await connect([one]);
  await client.listTopics();
  assert.deepEqual(servers.map(({ received }) => received.length), [1, 0, 1]);
  await client.listTopics();
  assert.deepEqual(servers.map(({ received }) => received.length), [1, 0, 2], "it stays there");
  leader = two;
  await client.listTopics();
  assert.deepEqual(servers.map(({ received }) => received.length), [1, 1, 3]);
  hints = false;
  leader = one;
  await client.listTopics();
  assert.equal(one.received.length, 2);
  // It knows all, and nobody says who leads.
  await using other = await connect(servers);
  leader = three;
  await other.listTopics();
  assert.ok(three.received.length > 3);
});

Deno.test("servers that others tell of are asked when those that were given are gone", async () => {
  const one = serveTopics(HOST);
  const two = serveTopics(HOST);
  await using three = serveTopics(HOST);
  const servers = [one, two, three].map(({ address }, i) => {
    return { id: `s${i}`, host: HOST, port: Number(address.split(":")[1]), role: 1 };
  });
  for (const server of [one, two, three]) server.model.servers = servers;
  one.script = (request, connection) => {
    connection.refuse(request, CODE.NOT_LEADER, `s1 ${two.address}`);
    return true;
  };
  await using client = await connect([one]);
  assert.equal((await client.metadata()).servers.length, 3);
  await one[Symbol.asyncDispose]();
  await client.listTopics();
  await two[Symbol.asyncDispose]();
  assert.deepEqual(await client.listTopics(), []);
  assert.equal(three.received.length, 1);
});

Deno.test("a leader that dies is replaced by the next one that says that it leads", async () => {
  await using one = serveTopics(HOST);
  const two = serveTopics(HOST);
  let leader = two;
  one.script = (request, connection) => {
    if (leader === one) return false;
    connection.refuse(request, CODE.NOT_LEADER, `server-2 ${leader.address}`);
    return true;
  };
  await using client = await connect([one]);
  await client.listTopics();
  await two[Symbol.asyncDispose]();
  // The others still believe that it leads.
  const asked = client.listTopics();
  await until(() => client.statistics.retries > 4);
  leader = one;
  assert.deepEqual(await asked, []);
});

Deno.test("connecting fails when no server is there, lets nobody in, or is none of topics", async () => {
  const closed = `${HOST}:1`;
  await assert.rejects(TopicClient.connect({ address: closed }), ConnectError);
  {
    await using server = serveTopics(HOST, { greets: false });
    server.script = (request, connection) => {
      connection.refuse(request, CODE.AUTHENTICATION_FAILED, "unknown token");
      return true;
    };
    await assert.rejects(connect([server], { token: "wrong" }), {
      name: "TopicError",
      reason: "AUTHENTICATION_FAILED",
    });
    const [hello] = server.received;
    assert.deepEqual(hello?.body, { client: "", token: "wrong" });
    server.script = (_, connection) => (connection.sendBytes(new Uint8Array(60)), true);
    await assert.rejects(connect([server]), ConnectError);
    server.script = () => true;
    await assert.rejects(connect([server], { dialTimeoutMs: 50 }), ConnectError);
    await assert.rejects(connect([server], { timeoutMs: 50 }), ConnectError);
    // The next one of several is asked.
    server.script = () => false;
    await using client = await TopicClient.connect({ address: `${closed}, ${server.address}` });
    assert.equal((await client.health()).healthy, true);
  }
});

Deno.test("what is asked of any server says so, and needs no leader", async () => {
  await using server = serveTopics(HOST);
  server.model.create("t", 1);
  server.script = (request, connection) => {
    if (request.kind !== "fetch" || request.flags & FLAG.anyServer) return false;
    connection.refuse(request, CODE.NOT_LEADER);
    return true;
  };
  await using client = await connect([server]);
  await using consumer = client.consumer("t", { anyServer: true, maxWaitMs: 10 });
  assert.deepEqual(await consumer.fetch({ timeoutMs: 50 }), []);
  await until(() => server.received.some(({ kind }) => kind === "fetch"));
});

Deno.test("a client that is closed fails what is under way, and leaves nothing behind", async () => {
  await using server = serveTopics(HOST);
  const client = await connect([server]);
  server.script = () => true;
  const asked = Promise.allSettled([client.listTopics(), client.deleteTopic("t")]);
  await until(() => server.received.length === 2);
  await client.close();
  const [read, changed] = await asked;
  assert.ok(read.status === "rejected" && read.reason instanceof ConnectionClosedError);
  assert.ok(changed.status === "rejected" && changed.reason instanceof OutcomeUnknownError);
  await assert.rejects(client.listTopics(), ConnectionClosedError);
  await client.close();
  await until(() => server.open === 0);
});

Deno.test("topics are created, listed, described, altered and deleted", async () => {
  await using server = serveTopics(HOST);
  await using client = await connect([server]);
  assert.equal(await client.createTopic("b", { partitions: 2, retentionMs: 5_000 }), true);
  assert.equal(await client.createTopic("b", { partitions: 2 }), false);
  await assert.rejects(client.createTopic("b"), { reason: "TOPIC_EXISTS" });
  assert.equal(await client.createTopic("a"), true);
  assert.deepEqual(await client.listTopics(), [
    { name: "a", partitions: 1 },
    { name: "b", partitions: 2 },
  ]);
  const retention = {
    retentionMs: 5_000,
    retentionBytes: Infinity,
    segmentBytes: 64,
    segmentMs: 1,
    dedupeMs: 120_000,
  };
  assert.deepEqual(await client.describeTopic("b"), {
    name: "b",
    id: 1,
    retention,
    partitions: [{ start: 0, end: 0, bytes: 0 }, { start: 0, end: 0, bytes: 0 }],
  });
  assert.deepEqual(await client.alterTopic("b", { retentionMs: Infinity, retentionBytes: 9 }), {
    ...retention,
    retentionMs: Infinity,
    retentionBytes: 9,
  });
  assert.deepEqual((await client.alterTopic("b", {})).segmentBytes, 64);
  await using producer = client.producer();
  await Promise.all(["x", "y", "z"].map((value) => producer.send("b", { value, partition: 1 })));
  assert.deepEqual(await client.offsets("b", 1), { start: 0, end: 3 });
  assert.equal(await client.deleteRecords("b", 1, 2), 2);
  assert.equal(await client.deleteRecords("b", 1), 3);
  server.model.servers = [
    { id: "s1", host: "10.0.0.1", port: 9_092, role: 1 },
    { id: "s2", host: "::1", port: 9_092, role: 2 },
    { id: "s3", host: "10.0.0.3", port: 0, role: 1 },
  ];
  assert.deepEqual(await client.metadata(["b"]), {
    servers: [
      { id: "s1", address: "10.0.0.1:9092", voter: true },
      { id: "s2", address: "[::1]:9092", voter: false },
      { id: "s3", address: undefined, voter: true },
    ],
    leader: undefined,
    topics: [{ name: "b", id: 1, partitions: [{ start: 0, end: 0 }, { start: 3, end: 3 }] }],
  });
  await client.deleteTopic("b");
  await assert.rejects(client.describeTopic("b"), { reason: "TOPIC_NOT_FOUND", code: 8 });
  await assert.rejects(client.createTopic("c", { partitons: 1 } as never), /Unknown option/);
  await assert.rejects(client.describeTopic(7 as never), TypeError);
});
