/** A client that connects again, against scripted agents that come and go. */

import assert from "node:assert/strict";
import {
  ConnectionClosedError,
  DisconnectedError,
  RpcClient,
  RpcError,
  type StreamEvent,
  TimeoutError,
} from "../../client/mod.ts";
import { IpcError, LogRecord, MembersResponse, UserEventRecord } from "../../protocol/ipc/mod.ts";
import { type FakeRequest, startFakeAgent } from "../support/fake_agent.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const FAST = { minDelayMs: 1, maxDelayMs: 20 };

function user(request: FakeRequest, name: string): void {
  request.answer("", UserEventRecord, {
    Event: "user",
    LTime: 1n,
    Name: name,
    Payload: null,
    Coalesce: false,
  });
}

async function nameOf(events: AsyncIterator<StreamEvent>): Promise<string> {
  const { value } = await events.next();
  return (value as { name: string }).name;
}

Deno.test("calls wait for the next connection, and a call under way rejects", async () => {
  await using agent = startFakeAgent(HOST);
  const told: string[] = [];
  await using client = await RpcClient.connect({
    address: agent.address,
    reconnect: { ...FAST, onStatus: (status) => void told.push(status) },
  });
  const lost = assert.rejects(client.members(), ConnectionClosedError);
  (await agent.next("members")).hangUp();
  await lost;
  assert.equal(client.connected, false);
  const listed = client.members();
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  assert.deepEqual(await listed, []);
  assert.equal(client.connected, true);
  assert.deepEqual(told, ["disconnected", "connected"]);
});

Deno.test("streams are opened again and go on; what they hold is delivered", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address, reconnect: FAST });
  const opening = client.stream("user");
  const first = await agent.next("stream");
  first.answer();
  const stream = await opening;
  const watching = client.monitor("debug");
  (await agent.next("monitor")).answer();
  const log = await watching;
  user(first, "before");
  first.hangUp();
  const second = await agent.next("stream");
  assert.deepEqual(second.body, { Type: "user" });
  second.answer();
  user(second, "after");
  const events = stream[Symbol.asyncIterator]();
  assert.equal(await nameOf(events), "before");
  assert.equal(await nameOf(events), "after");
  assert.equal(stream.reopened, 1);
  const monitor = await agent.next("monitor");
  monitor.answer();
  monitor.answer("", LogRecord, { Log: "line" });
  assert.equal((await log[Symbol.asyncIterator]().next()).value, "line");
  const stopping = stream.stop();
  const stop = await agent.next("stop");
  assert.deepEqual(stop.body, { Stop: second.seq });
  stop.answer();
  await stopping;
});

Deno.test("a stream that is stopped while the connection is down is not opened again", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address, reconnect: FAST });
  const opening = client.stream("*");
  const request = await agent.next("stream");
  request.answer();
  const stream = await opening;
  const lost = client.members();
  (await agent.next("members")).hangUp();
  await assert.rejects(lost, ConnectionClosedError);
  await stream.stop();
  const listed = client.members();
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  await listed;
  assert.deepEqual(await Array.fromAsync(stream), []);
  const streams = agent.requests.filter(({ command }) => command === "stream");
  assert.equal(streams.length, 1);
});

Deno.test("a query is over when the connection drops", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address, reconnect: FAST });
  const asking = client.query("load");
  const request = await agent.next("query");
  request.answer();
  const query = await asking;
  request.hangUp();
  await assert.rejects(Array.fromAsync(query), ConnectionClosedError);
});

Deno.test("calls can fail at once while the connection is down, and wait no longer than they may", async () => {
  for (const whileDown of ["fail", "wait"] as const) {
    await using agent = startFakeAgent(HOST);
    await using client = await RpcClient.connect({
      address: agent.address,
      reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000, whileDown },
    });
    const lost = client.members();
    (await agent.next("members")).hangUp();
    await assert.rejects(lost, ConnectionClosedError);
    const expected = whileDown === "fail" ? DisconnectedError : TimeoutError;
    await assert.rejects(client.members({ timeoutMs: 5 }), expected);
    await assert.rejects(client.stream("*", { timeoutMs: 5 }), expected);
    const closing = assert.rejects(
      client.members(),
      whileDown === "fail" ? expected : ConnectionClosedError,
    );
    await client.close();
    await closing;
    assert.equal(await client.closed, undefined);
  }
});

Deno.test("the tries end after their number, when a signal says so, and when the agent refuses the token", async () => {
  const controller = new AbortController();
  let refuse = false;
  const handler = (request: FakeRequest): boolean => {
    if (request.command !== "auth") return false;
    request.answer(refuse ? IpcError.invalidAuthToken : "");
    return true;
  };
  const cases = [
    { reconnect: { ...FAST, maxAttempts: 2 }, cause: /refused/, end: () => {} },
    {
      reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000, signal: controller.signal },
      cause: /enough/,
      end: () => controller.abort(new Error("enough")),
    },
    { reconnect: FAST, cause: /Invalid authentication token/, end: () => {} },
  ];
  for (const { reconnect, cause, end } of cases) {
    const agent = startFakeAgent(HOST, handler);
    refuse = false;
    await using client = await RpcClient.connect({
      address: agent.address,
      authKey: "token",
      reconnect,
    });
    refuse = true;
    const opening = client.stream("*");
    const request = await agent.next("stream");
    request.answer();
    const stream = await opening;
    if (cause.source === "refused") await agent[Symbol.asyncDispose]();
    else request.hangUp();
    end();
    const error = await client.closed;
    assert(error instanceof ConnectionClosedError);
    assert.match(String(error.cause), cause);
    assert.equal(error.cause instanceof RpcError, cause.source.startsWith("Invalid"));
    await assert.rejects(Array.fromAsync(stream), ConnectionClosedError);
    await assert.rejects(client.members(), ConnectionClosedError);
    if (cause.source !== "refused") await agent[Symbol.asyncDispose]();
  }
});

Deno.test("without the option a client is closed when its connection drops", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const lost = assert.rejects(client.members(), ConnectionClosedError);
  (await agent.next("members")).hangUp();
  await lost;
  assert.ok(await client.closed instanceof ConnectionClosedError);
  assert.equal(client.connected, false);
});
