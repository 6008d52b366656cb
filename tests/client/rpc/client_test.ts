import assert from "node:assert/strict";
import {
  ConnectError,
  ConnectionClosedError,
  RpcClient,
  RpcError,
  TimeoutError,
} from "../../../client/mod.ts";
import {
  EventRequest,
  IpcError,
  JoinResponse,
  MembersResponse,
  ResponseHeader,
  StatsResponse,
} from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import { member, startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { VERSIONS } from "../../support/versions.ts";

const HOST = loopback();

function header(seq: number | bigint, error = ""): Uint8Array {
  return encode(ResponseHeader, { Seq: seq, Error: error }, "rpc");
}

Deno.test("connect() sends handshake and auth exactly as Go's client does", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    request.answer();
    return true;
  });
  await using _client = await RpcClient.connect({ address: agent.address, authKey: "s3cret" });
  assert.deepEqual(agent.requests.map((request) => request.hex), [
    "82a7436f6d6d616e64a968616e647368616b65a35365710181a756657273696f6e01",
    "82a7436f6d6d616e64a461757468a35365710281a7417574684b6579a6733363726574",
  ]);
});

Deno.test("connect() fails with the agent's text when the token is wrong", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    request.answer(request.command === "auth" ? IpcError.invalidAuthToken : "");
    return true;
  });
  await assert.rejects(RpcClient.connect({ address: agent.address, authKey: "x" }), (error) => {
    assert(error instanceof RpcError);
    assert.equal(error.message, "Invalid authentication token");
    assert.equal(error.command, "auth");
    return true;
  });
});

Deno.test("calls overlap, and each gets its own answer whatever the order", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const members = client.members();
  const stats = client.stats();
  const joined = client.join(["a", "b:1"], { replay: true });
  const fired = client.event("deploy", "v1");
  const requests = [
    await agent.next("members"),
    await agent.next("stats"),
    await agent.next("join"),
    await agent.next("event"),
  ] as const;
  assert.deepEqual(requests.map((request) => request.seq), [2, 3, 4, 5]);
  assert.deepEqual(requests[2].body, { Existing: ["a", "b:1"], Replay: true });
  requests[3].answer();
  requests[2].answer("", JoinResponse, { Num: 2 });
  requests[1].answer("", StatsResponse, { agent: { name: "x" }, tags: null });
  requests[0].answer("", MembersResponse, { Members: [member()] });
  assert.equal(await joined, 2);
  await fired;
  assert.deepEqual(await stats, { agent: { name: "x" }, tags: {} });
  assert.deepEqual(await members, [{
    name: "a",
    addr: "127.0.0.1",
    port: 7946,
    tags: { role: "web" },
    status: "alive",
    ...VERSIONS,
  }]);
});

Deno.test("a thousand calls in one turn all come back", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    request.answer();
    return true;
  });
  await using client = await RpcClient.connect({ address: agent.address });
  await Promise.all(Array.from({ length: 1000 }, (_, i) => client.event(`e${i}`)));
  assert.equal(agent.requests.length, 1001);
  assert.deepEqual(new Set(agent.requests.map((r) => r.seq)).size, 1001);
});

Deno.test("every method sends the body of its command", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command === "members-filtered") {
      request.answer("", MembersResponse, { Members: null });
    } else request.answer();
    return true;
  });
  await using client = await RpcClient.connect({ address: agent.address });
  const bytes = Uint8Array.of(0, 255);
  await client.event("a");
  await client.event("b", bytes, { coalesce: false });
  await client.event("c", "é");
  await client.event("d", "");
  await client.forceLeave("n");
  await client.forceLeave("n", { prune: true });
  await client.updateTags({});
  await client.updateTags({ set: { x: "1" }, delete: ["y"] });
  assert.deepEqual(await client.members({ status: "" }), []);
  await client.members({ tags: { role: "w.*" }, status: "alive", name: "n" });
  await client.leave();
  assert.deepEqual(agent.requests.slice(1).map(({ command, body }) => [command, body]), [
    ["event", { Name: "a", Payload: null, Coalesce: true }],
    ["event", { Name: "b", Payload: bytes, Coalesce: false }],
    ["event", { Name: "c", Payload: Uint8Array.of(0xc3, 0xa9), Coalesce: true }],
    ["event", { Name: "d", Payload: new Uint8Array(0), Coalesce: true }],
    ["force-leave", { Node: "n", Prune: false }],
    ["force-leave", { Node: "n", Prune: true }],
    ["tags", { Tags: {}, DeleteTags: [] }],
    ["tags", { Tags: { x: "1" }, DeleteTags: ["y"] }],
    ["members-filtered", { Tags: {}, Status: "", Name: "" }],
    ["members-filtered", { Tags: { role: "w.*" }, Status: "alive", Name: "n" }],
    ["leave", null],
  ]);
});

Deno.test("an error with a body leaves the connection in step", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const text = "1 error occurred:\n\t* failed to join x\n\n";
  const joined = assert.rejects(client.join(["x"]), { name: "RpcError", message: text });
  const listed = client.members();
  (await agent.next("join")).answer(text, JoinResponse, { Num: 0 });
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  await joined;
  assert.deepEqual(await listed, []);
});

Deno.test("an error whose body an agent leaves out is still told, at the next answer", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const joined = assert.rejects(client.join(["x"]), { name: "RpcError", message: "no" });
  const listed = client.members();
  (await agent.next("join")).answer("no");
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  await joined;
  assert.deepEqual(await listed, []);
});

Deno.test("an answer that comes twice, as before auth, is told once", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const fired = assert.rejects(client.event("x"), { message: "Authentication required" });
  const request = await agent.next("event");
  request.answer(IpcError.authRequired);
  request.answer(IpcError.authRequired);
  await fired;
  const listed = client.members();
  (await agent.next("members")).answer("", MembersResponse, { Members: [] });
  assert.deepEqual(await listed, []);
});

Deno.test("an answer may come byte by byte", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const listed = client.members();
  const request = await agent.next("members");
  const body = encode(MembersResponse, { Members: [member({ Name: "ünï" })] }, "rpc");
  for (const byte of [...header(request.seq), ...body]) request.send(Uint8Array.of(byte));
  assert.equal((await listed)[0]?.name, "ünï");
});

Deno.test("a call ends after its time, and the late answer disturbs nobody", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  await assert.rejects(client.members({ timeoutMs: 5 }), (error) => {
    assert(error instanceof TimeoutError);
    assert.equal(error.message, 'Agent did not answer "members" within 5 ms');
    return true;
  });
  const late = await agent.next("members");
  const stats = client.stats({ timeoutMs: Infinity });
  late.answer("", MembersResponse, { Members: [member()] });
  (await agent.next("stats")).answer("", StatsResponse, {});
  assert.deepEqual(await stats, {});
});

Deno.test("a signal ends a call with its reason, before and after it is sent", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const reason = new Error("enough");
  await assert.rejects(client.members({ signal: AbortSignal.abort(reason) }), reason);
  assert.equal(agent.requests.length, 1);
  const controller = new AbortController();
  const listed = assert.rejects(client.members({ signal: controller.signal }), reason);
  const request = await agent.next("members");
  controller.abort(reason);
  await listed;
  const stats = client.stats();
  request.answer("", MembersResponse, { Members: [] });
  (await agent.next("stats")).answer("", StatsResponse, {});
  assert.deepEqual(await stats, {});
});

Deno.test("calls under way fail when the agent closes, and closed tells why", async () => {
  await using agent = startFakeAgent(HOST);
  const client = await RpcClient.connect({ address: agent.address });
  const calls = [client.members(), client.stats(), client.leave()].map((call) =>
    assert.rejects(call, (error) => {
      assert(error instanceof ConnectionClosedError);
      assert.equal(error.message, "client closed");
      assert.match(String(error.cause), /Agent closed the connection/);
      return true;
    })
  );
  (await agent.next("leave")).hangUp();
  await Promise.all(calls);
  assert((await client.closed) instanceof ConnectionClosedError);
  await assert.rejects(client.members(), ConnectionClosedError);
  await client.close();
});

Deno.test("an error that comes just before the agent closes is told", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const listed = assert.rejects(client.members(), { message: IpcError.handshakeRequired });
  const request = await agent.next("members");
  request.answer(IpcError.handshakeRequired);
  request.hangUp();
  await listed;
});

Deno.test("close() ends calls under way and may be called again", async () => {
  await using agent = startFakeAgent(HOST);
  const client = await RpcClient.connect({ address: agent.address });
  const listed = assert.rejects(client.members(), ConnectionClosedError);
  await agent.next("members");
  await Promise.all([client.close(), client.close()]);
  await listed;
  assert.equal(await client.closed, undefined);
  await client.close();
  await assert.rejects(client.stats(), (error) => {
    assert(error instanceof ConnectionClosedError);
    assert.match(String(error.cause), /closed by this program/);
    return true;
  });
});

Deno.test("garbage from the agent ends the connection", async () => {
  await using agent = startFakeAgent(HOST);
  for (const garbage of [[0xc1], [0xdd, 255, 255, 255, 255]]) {
    const client = await RpcClient.connect({ address: agent.address });
    const listed = assert.rejects(client.members(), ConnectionClosedError);
    (await agent.next("members")).send(Uint8Array.from(garbage));
    await listed;
    assert.match(String(((await client.closed) as Error).cause), /DecodeError/);
  }
});

Deno.test("a body of the wrong shape ends the connection", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const listed = assert.rejects(client.members(), ConnectionClosedError);
  const request = await agent.next("members");
  request.send(header(request.seq), Uint8Array.of(0xc3));
  await listed;
});

Deno.test("an answer without its body ends the connection", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  const listed = assert.rejects(client.members(), ConnectionClosedError);
  const request = await agent.next("members");
  request.send(header(request.seq), header(99));
  await listed;
});

Deno.test("a server that is no agent is found out at once", async () => {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const serving = (async () => {
    const conn = await listener.accept();
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    while (await conn.read(new Uint8Array(100)) !== null);
    conn.close();
  })();
  const { port } = listener.addr as Deno.NetAddr;
  await assert.rejects(RpcClient.connect({ address: `${HOST}:${port}` }), (error) => {
    assert(error instanceof ConnectionClosedError);
    assert.match(String(error.cause), /Expected the answer of an agent/);
    return true;
  });
  await serving;
  listener.close();
});

Deno.test("a field that the protocol cannot carry is refused before anything is sent", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  assert.throws(() =>
    encode(EventRequest, { Name: 5 as unknown as string, Payload: null, Coalesce: true }, "rpc")
  );
  await assert.rejects(client.event(undefined as unknown as string), TypeError);
  assert.equal(agent.requests.length, 1);
});

Deno.test("addresses that cannot be dialled are refused in Go's words", async () => {
  const cases: [string, string][] = [
    ["127.0.0.1", "dial tcp: address 127.0.0.1: missing port in address"],
    ["::1:7373", "dial tcp: address ::1:7373: too many colons in address"],
    ["[::1]", "dial tcp: address [::1]: missing port in address"],
    ["", "dial tcp: missing address"],
    ["[::1:7373", "dial tcp: address [::1:7373: missing ']' in address"],
    ["a]b:1", "dial tcp: address a]b:1: unexpected ']' in address"],
    ["127.0.0.1:xx", "dial tcp: lookup tcp/xx: unknown port"],
    ["127.0.0.1:-1", "dial tcp: address -1: invalid port"],
    ["127.0.0.1:99999", "dial tcp: address 99999: invalid port"],
  ];
  for (const [address, message] of cases) {
    await assert.rejects(RpcClient.connect({ address }), (error) => {
      assert(error instanceof ConnectError);
      assert.equal(error.message, message);
      return true;
    });
  }
});

Deno.test("a port where nobody listens is told in Go's words", async () => {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await assert.rejects(RpcClient.connect({ address: `${HOST}:${port}` }), {
    name: "ConnectError",
    message: `dial tcp ${HOST}:${port}: connect: connection refused`,
  });
});

Deno.test("a handshake that is never answered ends after the time given, or by the signal", async () => {
  const controller = new AbortController();
  await using agent = startFakeAgent(HOST, () => {
    if (agent.requests.length === 2) controller.abort(new Error("enough"));
    return true;
  });
  const { address } = agent;
  await assert.rejects(RpcClient.connect({ address, timeoutMs: 5 }), TimeoutError);
  const { signal } = controller;
  await assert.rejects(RpcClient.connect({ address, signal }), { message: "enough" });
});

Deno.test({
  name: "a connection that is never accepted ends after the time given, or by the signal",
  ignore: Deno.build.os !== "linux", // elsewhere a full backlog refuses instead of keeping silent
  async fn() {
    using listener = Deno.listen({ hostname: HOST, port: 0, tcpBacklog: 1 });
    const { port } = listener.addr as Deno.NetAddr;
    using _first = await Deno.connect({ hostname: HOST, port });
    using _second = await Deno.connect({ hostname: HOST, port });
    const address = `${HOST}:${port}`;
    await assert.rejects(RpcClient.connect({ address, timeoutMs: 20 }), {
      name: "ConnectError",
      message: `dial tcp ${address}: i/o timeout`,
    });
    const signal = AbortSignal.timeout(20);
    await assert.rejects(RpcClient.connect({ address, signal }), { name: "TimeoutError" });
  },
});
