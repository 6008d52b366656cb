import assert from "node:assert/strict";
import {
  ConnectionClosedError,
  type EventStream,
  RpcClient,
  RpcError,
  type StreamEvent,
} from "../../client/mod.ts";
import {
  IpcError,
  LogRecord,
  MemberEventRecord,
  MembersResponse,
  QueryEventRecord,
  UserEventRecord,
} from "../../protocol/ipc/mod.ts";
import { encodeValue } from "../../protocol/msgpack/mod.ts";
import { ownPayload } from "../../protocol/payload.ts";
import { type FakeRequest, member, startFakeAgent } from "../support/fake_agent.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

function user(request: FakeRequest, name: string): void {
  request.answer("", UserEventRecord, {
    Event: "user",
    LTime: 7n,
    Name: name,
    Payload: null,
    Coalesce: false,
  });
}

/** Opens a stream on a fake agent and gives both ends. */
async function open(
  client: RpcClient,
  agent: ReturnType<typeof startFakeAgent>,
  options?: Parameters<RpcClient["stream"]>[1],
): Promise<{ events: EventStream; request: FakeRequest }> {
  const opening = client.stream("*", options);
  const request = await agent.next("stream");
  request.answer();
  return { events: await opening, request };
}

async function nextOf(events: AsyncIterator<StreamEvent>): Promise<StreamEvent> {
  const result = await events.next();
  assert(!result.done);
  return result.value;
}

Deno.test("a stream delivers records of every kind, typed", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const { events, request } = await open(client, agent);
  assert.deepEqual(request.body, { Type: "*" });
  const payload = Uint8Array.of(1, 2);
  request.answer("", UserEventRecord, {
    Event: "user",
    LTime: 2n ** 60n,
    Name: "deploy",
    Payload: payload,
    Coalesce: true,
  });
  request.answer("", QueryEventRecord, {
    Event: "query",
    ID: 3,
    LTime: 4n,
    Name: "load",
    Payload: null,
  });
  request.answer("", MemberEventRecord, {
    Event: "member-failed",
    Members: [member({ Status: "failed" })],
  });
  const reader = events[Symbol.asyncIterator]();
  assert.deepEqual(await nextOf(reader), {
    type: "user",
    ltime: 2n ** 60n,
    name: "deploy",
    payload: ownPayload(payload),
    coalesce: true,
  });
  const query = await nextOf(reader);
  assert(query.type === "query");
  const { respond: _, ...said } = query;
  assert.deepEqual(said, { type: "query", id: 3, ltime: 4n, name: "load", payload: null });
  const failed = await nextOf(reader);
  assert(failed.type === "member-failed");
  assert.deepEqual(failed.members.map(({ name, status }) => [name, status]), [["a", "failed"]]);
});

Deno.test("a record of a kind from the future is passed over", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const { events, request } = await open(client, agent);
  request.answer();
  request.send(encodeValue({ Event: "member-dance", Steps: 3 }, "rpc"));
  user(request, "after");
  const event = await nextOf(events[Symbol.asyncIterator]());
  assert.equal(event.type === "user" && event.name, "after");
});

Deno.test("records and answers of other calls come interleaved", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const first = await open(client, agent);
  const second = await open(client, agent);
  const listed = client.members();
  const members = await agent.next("members");
  user(second.request, "two");
  user(first.request, "one");
  members.answer("", MembersResponse, { Members: [] });
  user(second.request, "three");
  assert.deepEqual(await listed, []);
  const read = async (stream: AsyncIterator<StreamEvent>) =>
    (await nextOf(stream) as { name: string }).name;
  const secondReader = second.events[Symbol.asyncIterator]();
  assert.equal(await read(secondReader), "two");
  assert.equal(await read(secondReader), "three");
  assert.equal(await read(first.events[Symbol.asyncIterator]()), "one");
});

Deno.test("a reader that is too slow loses the newest records, and sees how many", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const { events, request } = await open(client, agent, { bufferSize: 3 });
  for (let i = 0; i < 10; i++) user(request, `e${i}`);
  const listed = client.members();
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  await listed;
  assert.equal(events.dropped, 7);
  const reader = events[Symbol.asyncIterator]();
  for (const name of ["e0", "e1", "e2"]) {
    assert.equal((await nextOf(reader) as { name: string }).name, name);
  }
  const waiting = nextOf(reader);
  user(request, "later");
  assert.equal((await waiting as { name: string }).name, "later");
});

Deno.test("stop() ends the stream here first, then asks the agent, and what still comes is thrown away", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const { events, request } = await open(client, agent);
  const reader = events[Symbol.asyncIterator]();
  const waiting = reader.next();
  const stopping = events.stop();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  const stop = await agent.next("stop");
  assert.deepEqual(stop.body, { Stop: request.seq });
  user(request, "late");
  stop.answer();
  user(request, "later");
  await stopping;
  await events.stop();
  assert.deepEqual(await reader.next(), { done: true, value: undefined });
  const listed = client.members();
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  assert.deepEqual(await listed, []);
  assert.equal(agent.requests.filter(({ command }) => command === "stop").length, 1);
});

Deno.test("leaving the loop stops the stream", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command === "stop") request.answer();
    return request.command === "stop";
  });
  await using client = await RpcClient.connect({ address: agent.address });
  const { events, request } = await open(client, agent);
  user(request, "one");
  for await (const event of events) {
    assert.equal(event.type, "user");
    break;
  }
  assert.deepEqual(agent.requests.at(-1)?.body, { Stop: request.seq });
});

Deno.test("a stream that the agent refuses rejects with its text", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const streaming = assert.rejects(client.stream("x y"), (error) => {
    assert(error instanceof RpcError);
    assert.equal(error.message, IpcError.invalidFilter);
    return true;
  });
  (await agent.next("stream")).answer(IpcError.invalidFilter);
  await streaming;
  const monitoring = assert.rejects(client.monitor("loud"), { message: "Unknown log level: LOUD" });
  const monitor = await agent.next("monitor");
  assert.deepEqual(monitor.body, { LogLevel: "loud" });
  monitor.answer("Unknown log level: LOUD");
  await monitoring;
  assert.equal(agent.requests.some(({ command }) => command === "stop"), false);
});

Deno.test("monitor() delivers log lines", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const opening = client.monitor();
  const request = await agent.next("monitor");
  assert.deepEqual(request.body, { LogLevel: "info" });
  request.answer();
  request.answer("", LogRecord, { Log: "2026/11/21 03:04:05 [INFO] agent: hello" });
  request.answer("", LogRecord, { Log: "two\nlines" });
  const reader = (await opening)[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value, "2026/11/21 03:04:05 [INFO] agent: hello");
  assert.equal((await reader.next()).value, "two\nlines");
});

Deno.test("when the connection drops, what came before is delivered, then the loop throws", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const { events, request } = await open(client, agent);
  user(request, "one");
  request.hangUp();
  await client.closed;
  const names: string[] = [];
  await assert.rejects(async () => {
    for await (const event of events) names.push((event as { name: string }).name);
  }, ConnectionClosedError);
  assert.deepEqual(names, ["one"]);
  await events.stop();
});

Deno.test("when the client is closed, the loop ends", async () => {
  await using agent = startFakeAgent(HOST);
  const client = await RpcClient.connect({ address: agent.address });
  const { events } = await open(client, agent);
  const reading = Array.fromAsync(events);
  await client.close();
  assert.deepEqual(await reading, []);
});

Deno.test("a signal ends a running stream with its reason and stops it at the agent", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const controller = new AbortController();
  const { events, request } = await open(client, agent, { signal: controller.signal });
  user(request, "one");
  const reader = events[Symbol.asyncIterator]();
  assert.equal((await nextOf(reader) as { name: string }).name, "one");
  const waiting = assert.rejects(reader.next(), { message: "enough" });
  controller.abort(new Error("enough"));
  await waiting;
  const stop = await agent.next("stop");
  assert.deepEqual(stop.body, { Stop: request.seq });
  stop.answer();
  await events.stop();
});

Deno.test("a stream that was given up before the agent answered is stopped there", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  await assert.rejects(client.stream("*", { timeoutMs: 5 }), { name: "TimeoutError" });
  const request = await agent.next("stream");
  request.answer();
  user(request, "unwanted");
  const stop = await agent.next("stop");
  assert.deepEqual(stop.body, { Stop: request.seq });
  stop.answer();
  const listed = client.members();
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  assert.deepEqual(await listed, []);
});

Deno.test("two readers of one stream are one too many", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const { events } = await open(client, agent);
  const reader = events[Symbol.asyncIterator]();
  const waiting = reader.next();
  await assert.rejects(events[Symbol.asyncIterator]().next(), /already being read/);
  await client.close();
  assert.equal((await waiting).done, true);
});
