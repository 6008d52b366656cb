/** Queries, answers, keys and coordinates of the client, against a scripted agent. */

import assert from "node:assert/strict";
import { KeyError, RpcClient, RpcError, rttBetween } from "../../../client/mod.ts";
import {
  CoordinateResponse,
  KeyResponse,
  QueryEventRecord,
  QueryRecord,
} from "../../../protocol/ipc/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { type FakeRequest, startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

function tell(request: FakeRequest, type: string, from = "", payload: Uint8Array | null = null) {
  request.answer("", QueryRecord, { Type: type, From: from, Payload: payload });
}

Deno.test("query() sends every option and nothing that was not given", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const plain = client.query("uptime");
  const first = await agent.next("query");
  assert.deepEqual(first.body, {
    FilterNodes: [],
    FilterTags: {},
    RequestAck: false,
    RelayFactor: 0,
    Timeout: 0n,
    Name: "uptime",
    Payload: null,
  });
  first.answer();
  await plain;
  const full = client.query("load", "é", {
    nodes: ["a", "b"],
    tags: { role: "web" },
    requestAck: true,
    relayFactor: 2,
    timeoutMs: 1.5,
  });
  const second = await agent.next("query");
  assert.deepEqual(second.body, {
    FilterNodes: ["a", "b"],
    FilterTags: { role: "web" },
    RequestAck: true,
    RelayFactor: 2,
    Timeout: 1_500_000n,
    Name: "load",
    Payload: new TextEncoder().encode("é"),
  });
  second.answer();
  await full;
  for (const [timeoutMs, wire] of [[-1, -1_000_000n], [Infinity, 2n ** 63n - 1n]] as const) {
    const query = client.query("q", null, { timeoutMs });
    const request = await agent.next("query");
    assert.equal((request.body as { Timeout: bigint }).Timeout, wire);
    request.answer();
    await query;
  }
  await assert.rejects(client.query("q", null, { timeoutMs: NaN }), RangeError);
});

Deno.test("a query brings acks and answers, passes empty records over, and ends at done", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const asking = client.query("load", null, { requestAck: true });
  const request = await agent.next("query");
  request.answer();
  const query = await asking;
  tell(request, "ack", "a");
  tell(request, "response", "a", Uint8Array.of(1));
  tell(request, "response", "b");
  tell(request, "gossip", "c");
  tell(request, "ack");
  tell(request, "response");
  tell(request, "done");
  tell(request, "response", "late", Uint8Array.of(9));
  assert.deepEqual(await Array.fromAsync(query), [
    { type: "ack", from: "a" },
    { type: "response", from: "a", payload: ownPayload(Uint8Array.of(1)) },
    { type: "response", from: "b", payload: null },
  ]);
  await query.stop();
  assert.deepEqual(agent.requests.map(({ command }) => command), ["handshake", "query"]);
});

Deno.test("leaving the loop over a query asks nothing of the agent, which could not stop it", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const asking = client.query("load");
  const request = await agent.next("query");
  request.answer();
  tell(request, "response", "a");
  for await (const record of await asking) {
    assert.equal(record.from, "a");
    break;
  }
  tell(request, "response", "b");
  tell(request, "done");
  const coordinate = client.coordinate("x");
  (await agent.next("get-coordinate")).answer("", CoordinateResponse, {
    Ok: false,
    Coord: { Vec: null, Error: 0, Adjustment: 0, Height: 0 },
  });
  assert.equal(await coordinate, undefined);
  assert.equal(agent.requests.some(({ command }) => command === "stop"), false);
});

Deno.test("a slow reader of a query sees how many records it lost", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const asking = client.query("load", null, { bufferSize: 2 });
  const request = await agent.next("query");
  request.answer();
  const query = await asking;
  for (const from of ["a", "b", "c", "d"]) tell(request, "response", from);
  tell(request, "done");
  const call = client.event("all has come");
  (await agent.next("event")).answer();
  await call;
  const answers = await Array.fromAsync(query);
  assert.deepEqual(answers.map(({ from }) => from), ["a", "b"]);
  assert.equal(query.dropped, 2);
});

Deno.test("a refused query rejects with its text and code", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const asking = client.query("_serf_x");
  (await agent.next("query")).answer("Queries cannot contain the '_serf_' prefix");
  await assert.rejects(asking, { name: "RpcError", command: "query", code: "reserved-name" });
});

Deno.test("respond() answers by number, and a query event answers itself", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const opening = client.stream("query");
  const stream = await agent.next("stream");
  stream.answer();
  const events = (await opening)[Symbol.asyncIterator]();
  stream.answer("", QueryEventRecord, {
    Event: "query",
    ID: 7,
    LTime: 1n,
    Name: "load",
    Payload: null,
  });
  const { value: event } = await events.next();
  assert(event.type === "query");
  const answering = event.respond("0.5");
  const first = await agent.next("respond");
  assert.deepEqual(first.body, { ID: 7, Payload: new TextEncoder().encode("0.5") });
  first.answer();
  await answering;
  const again = client.respond(event.id);
  const second = await agent.next("respond");
  assert.deepEqual(second.body, { ID: 7, Payload: null });
  second.answer("failed to respond to key query: response already sent");
  await assert.rejects(again, { name: "RpcError", code: "already-answered" });
});

Deno.test("key operations report what the nodes said, also with an error", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const response: KeyResponse = {
    Messages: { b: "no luck" },
    Keys: null,
    NumNodes: 3,
    NumErr: 1,
    NumResp: 2,
  };
  const report = { messages: { b: "no luck" }, keys: {}, numNodes: 3, numErr: 1, numResp: 2 };
  const changes = {
    "install-key": (key: string) => client.installKey(key),
    "use-key": (key: string) => client.useKey(key),
    "remove-key": (key: string) => client.removeKey(key),
  } as const;
  for (const [command, change] of Object.entries(changes)) {
    const working = change("S0VZ");
    const request = await agent.next(command);
    assert.deepEqual(request.body, { Key: "S0VZ" });
    request.answer("", KeyResponse, { ...response, NumErr: 0 });
    assert.deepEqual(await working, { ...report, numErr: 0 });
    const failing = change("S0VZ");
    const second = await agent.next(command);
    second.answer("1/3 nodes reported failure", KeyResponse, response);
    await assert.rejects(failing, (error) => {
      assert(error instanceof KeyError && error instanceof RpcError);
      assert.deepEqual([error.name, error.command, error.code], [
        "KeyError",
        command,
        "keys-failed",
      ]);
      assert.deepEqual(error.report, report);
      return true;
    });
  }
  const listing = client.listKeys();
  (await agent.next("list-keys")).answer("", KeyResponse, { ...response, Keys: { k: 3 } });
  assert.deepEqual((await listing).keys, { k: 3 });
  const refused = client.listKeys();
  (await agent.next("list-keys")).answer("Authentication required");
  await assert.rejects(refused, (error) => {
    assert(error instanceof RpcError && !(error instanceof KeyError));
    return error.code === "auth-required";
  });
});

Deno.test("coordinate() and rttBetween() tell how far apart nodes are", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const asking = client.coordinate("b");
  const request = await agent.next("get-coordinate");
  assert.deepEqual(request.body, { Node: "b" });
  request.answer("", CoordinateResponse, {
    Ok: true,
    Coord: { Vec: [3, 0], Error: 1.5, Adjustment: 0.5, Height: 0.25 },
  });
  const b = await asking;
  assert.deepEqual(b, { vec: [3, 0], error: 1.5, adjustment: 0.5, height: 0.25 });
  const a = { vec: [0, 4], error: 1, adjustment: 0, height: 0.25 };
  assert.equal(rttBetween(a, b), 6_000);
  assert.equal(rttBetween({ ...a, adjustment: -9 }, b), 5_500, "a negative estimate is raw");
  assert.throws(() => rttBetween({ ...a, vec: [1] }, b), { name: "CoordinateError" });
});

Deno.test("each error text of an agent has its code", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const texts: Record<string, string[]> = {
    "auth-required": ["Authentication required"],
    "invalid-token": ["Invalid authentication token"],
    "unsupported-command": ["Unsupported command"],
    "unsupported-version": ["Unsupported IPC version"],
    "unsupported-feature": ["Feature not supported"],
    "handshake-required": ["Handshake required"],
    "duplicate-handshake": ["Handshake already performed"],
    "stream-exists": ["Stream with given sequence exists"],
    "monitor-exists": ["Monitor already exists"],
    "invalid-filter": ["Invalid event filter"],
    "invalid-level": ["Unknown log level: FOO"],
    "unknown-query": ["No pending queries matching ID"],
    "already-answered": ["failed to respond to key query: response already sent"],
    "query-over": ["failed to respond to key query: response is past the deadline"],
    "reserved-name": ["Queries cannot contain the '_serf_' prefix"],
    "too-large": [
      "user event exceeds configured limit of 512 bytes before encoding",
      "encoded user event exceeds configured limit of 512 bytes after encoding",
      "query exceeds limit of 1024 bytes",
      "failed to respond to key query: response exceeds limit of 1024 bytes",
      "Encoded length of tags exceeds limit of 512 bytes",
    ],
    "invalid-key": ["illegal base64 data at input byte 0"],
    "keys-failed": ["1/3 nodes reported failure", "2/3 nodes reported success"],
    "join-failed": [
      "1 error occurred:\n\t* failed to join 127.0.0.1:1: dial tcp: refused\n\n",
      "2 errors occurred:\n\t* Failed to resolve x: no such host\n\t* Failed to join y: refused\n\n",
    ],
    left: ["Serf can't Join after Leave or Shutdown", "Leave already in progress"],
    "broadcast-timeout": [
      "timed out broadcasting node removal",
      "timeout waiting for update broadcast",
    ],
    "tags-file": ["Failed to write tags file: permission denied"],
    other: ["The dog ate it"],
  };
  for (const [code, messages] of Object.entries(texts)) {
    for (const message of messages) {
      const call = client.event("x");
      (await agent.next("event")).answer(message);
      await assert.rejects(call, { name: "RpcError", command: "event", message, code });
    }
  }
});
